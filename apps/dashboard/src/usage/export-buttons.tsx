import { Download } from 'lucide-react';
import type { UsageRow } from '../api/types';
import { Button } from '../ui/button';
import { download } from '../ui/download';
import { csvOf } from './export';
import type { Range } from './ranges';

export function ExportButtons({ rows, range }: { rows: readonly UsageRow[]; range: Range }) {
  const name = `usage-${date(range.from)}-${date(range.to)}`;
  const icon = <Download size={13} aria-hidden />;
  return (
    <>
      <Button
        small
        icon={icon}
        disabled={rows.length === 0}
        onClick={() => download(`${name}.csv`, 'text/csv', csvOf(rows))}
      >
        CSV
      </Button>
      <Button
        small
        icon={icon}
        disabled={rows.length === 0}
        onClick={() => download(`${name}.json`, 'application/json', JSON.stringify(rows, null, 2))}
      >
        JSON
      </Button>
    </>
  );
}

const date = (at: number): string => new Date(at).toISOString().slice(0, 10);
