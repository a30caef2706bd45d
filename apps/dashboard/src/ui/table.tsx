import { useWindowVirtualizer } from '@tanstack/react-virtual';
import {
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
  type ButtonHTMLAttributes,
  type ReactNode,
} from 'react';
import type { More } from '../api/use-pages';
import { Button } from './button';
import { classes } from './classes';
import { LoadingRows } from './states';
import styles from './table.module.css';

export interface Column<Row> {
  id: string;
  header: string;
  /** A track of a CSS grid; `minmax(0, 1fr)` if absent. */
  width?: string;
  align?: 'end';
  /** Not named on telephones, where the name would say nothing. */
  unnamed?: boolean;
  cell: (row: Row) => ReactNode;
}

/** The last column: what can be done with a row. */
export const ACTIONS = { id: 'actions', header: '', width: '30px', align: 'end', unnamed: true } as const;

interface TableProps<Row> {
  label: string;
  columns: ReadonlyArray<Column<Row>>;
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  /** There is more to fetch; it is fetched when the end comes into sight, or by the button. */
  more?: More;
  foot?: ReactNode;
}

/** From here on only the rows in sight are in the document. */
const VIRTUAL_FROM = 80;

/** A table that stays quick with a hundred thousand rows and readable at 375 px. */
export function DataTable<Row>(props: TableProps<Row>) {
  const { label, columns, rows, more, foot } = props;
  const template = columns.map(({ width }) => width ?? 'minmax(0, 1fr)').join(' ');
  return (
    <>
      <div
        className={styles.table}
        role="table"
        aria-label={label}
        aria-rowcount={more?.has ? -1 : rows.length + 1}
      >
        <div role="rowgroup">
          <div className={styles.head} role="row" style={{ gridTemplateColumns: template }}>
            {columns.map(({ id, header, align }) => (
              <div key={id} role="columnheader" className={align && styles[align]}>
                {header}
              </div>
            ))}
          </div>
        </div>
        {rows.length > VIRTUAL_FROM ? (
          <VirtualRows {...props} template={template} />
        ) : (
          <div role="rowgroup">
            {rows.map((row) => (
              <div
                key={props.rowKey(row)}
                className={styles.row}
                role="row"
                style={{ gridTemplateColumns: template }}
              >
                <Cells columns={columns} row={row} />
              </div>
            ))}
          </div>
        )}
      </div>
      {more?.has && rows.length === 0 && !more.failed && <LoadingRows rows={3} />}
      {more?.has && <LoadMore of={more} />}
      {foot && <div className={styles.foot}>{foot}</div>}
    </>
  );
}

function VirtualRows<Row>({ columns, rows, rowKey, template }: TableProps<Row> & { template: string }) {
  const body = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  useLayoutEffect(() => {
    if (body.current) setTop(body.current.getBoundingClientRect().top + window.scrollY);
  }, []);
  const virtual = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => 47,
    overscan: 12,
    scrollMargin: top,
    getItemKey: (index) => rowKey(rows[index]!),
  });
  return (
    <div
      ref={body}
      role="rowgroup"
      className={styles.virtual}
      style={{ position: 'relative', height: virtual.getTotalSize() }}
    >
      {virtual.getVirtualItems().map(({ index, key, start }) => (
        <div
          key={key}
          ref={virtual.measureElement}
          data-index={index}
          className={styles.row}
          role="row"
          aria-rowindex={index + 2}
          style={{ gridTemplateColumns: template, transform: `translateY(${start - top}px)` }}
        >
          <Cells columns={columns} row={rows[index]!} />
        </div>
      ))}
    </div>
  );
}

function Cells<Row>({ columns, row }: { columns: ReadonlyArray<Column<Row>>; row: Row }) {
  return columns.map(({ id, header, align, unnamed, cell }, index) => (
    <div key={id} role="cell" className={classes(align && styles[align], unnamed && styles.unnamed)}>
      {index > 0 && !unnamed && (
        <span className={styles.cellLabel} aria-hidden>
          {header}
        </span>
      )}
      {cell(row)}
    </div>
  ));
}

function LoadMore({ of: { busy, failed, pages, load } }: { of: More }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = place.current;
    if (!element || busy || failed) return;
    // On a busy page several come at once, and the last is how things are.
    const seen = new IntersectionObserver((entries) => entries.at(-1)?.isIntersecting && load(), {
      rootMargin: '400px',
    });
    seen.observe(element);
    return () => seen.disconnect();
    // A page may have come without anybody having seen it busy: then, too, it is looked again.
  }, [busy, failed, pages, load]);
  return (
    <div ref={place} className={styles.more}>
      <Button small busy={busy} onClick={load}>
        {busy ? 'Loading' : failed ? 'That failed. Try again' : 'Load more'}
      </Button>
    </div>
  );
}

/** The name of a row, which opens it. */
export function RowButton({ children, ...rest }: ButtonHTMLAttributes<HTMLButtonElement>) {
  return (
    <button type="button" {...rest} className={classes(styles.rowButton, rest.className)}>
      {children}
    </button>
  );
}
