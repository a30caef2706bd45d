import { Monitor, Moon, Sun } from 'lucide-react';
import { useState } from 'react';
import { IconButton } from '../ui/button';

type Theme = 'system' | 'light' | 'dark';

const KEY = 'gatehouse-theme';
const ORDER: readonly Theme[] = ['system', 'light', 'dark'];
const ICONS = { system: Monitor, light: Sun, dark: Moon };

/** Goes round: as the system has it, light, dark. `theme.js` reads the choice before the first paint. */
export function ThemeSwitch() {
  const [theme, setTheme] = useState<Theme>(
    () => (document.documentElement.dataset.theme as Theme | undefined) ?? 'system',
  );
  const next = ORDER[(ORDER.indexOf(theme) + 1) % ORDER.length]!;
  const Icon = ICONS[theme];
  return (
    <IconButton
      label={`Theme: ${theme}. Change to ${next}`}
      small
      icon={<Icon size={15} aria-hidden />}
      onClick={() => {
        apply(next);
        setTheme(next);
      }}
    />
  );
}

function apply(theme: Theme): void {
  const { dataset } = document.documentElement;
  if (theme === 'system') delete dataset.theme;
  else dataset.theme = theme;
  window.dispatchEvent(new Event('themechange'));
  try {
    if (theme === 'system') localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
  } catch {
    // Storage is switched off: the choice holds until the page is left.
  }
}
