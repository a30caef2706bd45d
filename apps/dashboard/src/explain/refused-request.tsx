import { Link } from 'react-router';
import type { Refusal } from '../api/types';
import { useLinkTo } from '../session/scope';
import { moment } from '../ui/format';
import { Badge, Card, Fact, Facts } from '../ui/surface';

export function RefusedRequest({ of: refusal }: { of: Refusal }) {
  const linkTo = useLinkTo();
  const { method, path, host, status, title, detail, guard, at, clientAddress } = refusal;
  return (
    <Card title="Refused request" actions={<Link to={linkTo('/security?tab=refusals')}>All refusals</Link>}>
      <Facts>
        <Fact term="Request">
          <span className="mono">
            {method} {path}
          </span>{' '}
          <span className="faint">at {host}</span>
        </Fact>
        <Fact term="Answer">
          <Badge tone={status >= 500 ? 'bad' : 'warn'}>{status}</Badge> {title}
          {detail && detail !== title && <span className="soft"> · {detail}</span>}
        </Fact>
        <Fact term="Refused by">{guard.replaceAll('_', ' ')}</Fact>
        <Fact term="When">{moment(at)}</Fact>
        <Fact term="Client">
          <span className="mono">{clientAddress}</span>
        </Fact>
        <Fact term="Headers">
          <span className="soft">{refusal.headerNames.join(', ')}</span>
        </Fact>
      </Facts>
    </Card>
  );
}
