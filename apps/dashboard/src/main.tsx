import '@fontsource-variable/inter/wght.css';
import '@fontsource-variable/jetbrains-mono/wght.css';
import './styles/tokens.css';
import './styles/base.css';
import { CSPProvider } from '@base-ui/react/csp-provider';
import { QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { BrowserRouter } from 'react-router';
import { comesBack } from './api/problem';
import { queryClient } from './api/query-client';
import { Pages } from './pages';
import { currentSession, SessionGate } from './session/session';
import { SignInPage } from './session/sign-in-page';
import { ErrorState } from './ui/states';
import { Toasts } from './ui/toast';

const root = createRoot(document.getElementById('root')!);

const AGAIN_MS = 3000;
let again: ReturnType<typeof setTimeout> | undefined;

async function start(): Promise<void> {
  try {
    const session = await currentSession();
    root.render(
      <StrictMode>
        <CSPProvider disableStyleElements>
          <QueryClientProvider client={queryClient}>
            <Toasts>
              <SessionGate
                first={session}
                signIn={(enter, ended) => <SignInPage enter={enter} ended={ended} />}
              >
                <BrowserRouter basename="/dashboard">
                  <Pages />
                </BrowserRouter>
              </SessionGate>
            </Toasts>
          </QueryClientProvider>
        </CSPProvider>
      </StrictMode>,
    );
  } catch (error) {
    root.render(<ErrorState error={error} retry={() => void start()} />);
    clearTimeout(again);
    if (comesBack(error)) again = setTimeout(() => void start(), AGAIN_MS);
  }
}

void start();
