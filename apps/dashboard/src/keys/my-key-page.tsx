import { useQuery } from '@tanstack/react-query';
import { api, data } from '../api/client';
import type { ApiKey } from '../api/types';
import { useGatewayUrl } from '../session/scope';
import { useSession } from '../session/session';
import { Copyable } from '../ui/copy';
import { ErrorState, LoadingRows } from '../ui/states';
import { Card, Fact, Facts, Page } from '../ui/surface';
import { KeyFacts } from './key-details';

/** All that the holder of a key of one service has: the key, and where it works. */
export function MyKeyPage() {
  const { session } = useSession();
  const gatewayUrl = useGatewayUrl();
  const {
    data: key,
    error,
    refetch,
  } = useQuery({
    queryKey: ['keys', 'mine'],
    queryFn: () => data(api.GET('/me/api-key')),
  });
  return (
    <Page title="Your key" lead="What it opens, and how often">
      {session.serviceId !== null && (
        <Card title="Where it works">
          <Facts>
            <Fact term="Gateway URL">
              <Copyable text={`${gatewayUrl}/proxy/${session.serviceId}`} label="Copy gateway URL" />
            </Fact>
          </Facts>
        </Card>
      )}
      {error ? (
        <ErrorState error={error} retry={() => void refetch()} />
      ) : key ? (
        <Card title={key.name ?? 'API key'}>
          {key.name === undefined ? (
            <p className="soft">Nothing more is known of it than its id, {key.id}.</p>
          ) : (
            <KeyFacts of={key as ApiKey} />
          )}
        </Card>
      ) : (
        <LoadingRows />
      )}
    </Page>
  );
}
