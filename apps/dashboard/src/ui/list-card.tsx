import type { ReactNode } from 'react';
import type { More } from '../api/use-pages';
import { ErrorState, LoadingRows } from './states';
import { Card } from './surface';
import { DataTable, type Column } from './table';

interface Listed<Row> {
  rows: readonly Row[];
  isPending: boolean;
  error: unknown;
  retry: () => void;
  more: More;
}

interface ListCardProps<Row> {
  label: string;
  list: Listed<Row>;
  columns: ReadonlyArray<Column<Row>>;
  rowKey: (row: Row) => string;
  empty: ReactNode;
  title?: ReactNode;
  actions?: ReactNode;
  foot?: ReactNode;
}

/** A list in each of its states: on its way, failed, empty, there. */
export function ListCard<Row>({
  label,
  list,
  columns,
  rowKey,
  empty,
  title,
  actions,
  foot,
}: ListCardProps<Row>) {
  const { rows, isPending, error, retry, more } = list;
  return (
    <Card title={title} actions={actions} bare>
      {isPending ? (
        <LoadingRows />
      ) : error && rows.length === 0 ? (
        <ErrorState error={error} retry={retry} />
      ) : rows.length === 0 && !more.has ? (
        empty
      ) : (
        <DataTable label={label} columns={columns} rows={rows} rowKey={rowKey} more={more} foot={foot} />
      )}
    </Card>
  );
}
