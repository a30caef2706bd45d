import { useMemo } from 'react';
import type { HistoryPoint } from '../api/types';
import { TimeChart, type Series } from '../charts/time-chart';
import { milliseconds, rate } from '../ui/format';
import { Card, Columns } from '../ui/surface';

/** The last five minutes. */
export function LiveCharts({ history }: { history: readonly HistoryPoint[] }) {
  const times = useMemo(() => history.map(({ at }) => Date.parse(at) / 1000), [history]);
  const traffic = useMemo<Series[]>(
    () => [
      line('Requests', 1, history, (point) => point.requestsPerSecond),
      line('4xx', 3, history, (point) => point.byStatus['4xx']),
      line('5xx', 2, history, (point) => point.byStatus['5xx']),
    ],
    [history],
  );
  const latency = useMemo<Series[]>(
    () => [
      line('p50', 4, history, (point) => point.latencyMs.p50),
      line('p95', 1, history, (point) => point.latencyMs.p95),
      line('p99', 5, history, (point) => point.latencyMs.p99),
    ],
    [history],
  );
  return (
    <Columns>
      <Card title="Requests per second">
        <TimeChart
          label="Requests per second in the last five minutes, with those answered 4xx and 5xx"
          times={times}
          series={traffic}
          format={rate}
        />
      </Card>
      <Card title="Latency">
        <TimeChart
          label="Latency percentiles in the last five minutes"
          times={times}
          series={latency}
          format={milliseconds}
        />
      </Card>
    </Columns>
  );
}

function line(
  label: string,
  colour: number,
  history: readonly HistoryPoint[],
  value: (point: HistoryPoint) => number | null,
): Series {
  return { label, colour, values: history.map(value) };
}
