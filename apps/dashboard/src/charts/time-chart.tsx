import 'uplot/dist/uPlot.min.css';
import { useEffect, useRef, useState } from 'react';
import uPlot from 'uplot';
import { classes } from '../ui/classes';
import styles from './chart.module.css';
import { optionsOf, stack } from './options';

export interface Series {
  label: string;
  /** 1 … 6, of the palette. */
  colour: number;
  values: ReadonlyArray<number | null>;
}

export interface TimeChartProps {
  /** What a screen reader says in the place of the picture. */
  label: string;
  /** Seconds since the epoch, rising. */
  times: readonly number[];
  series: readonly Series[];
  format: (value: number) => string;
  height?: number;
  /** Columns on top of each other, for amounts; otherwise lines, for rates. */
  stacked?: boolean;
  /** Dates along the axis are those of UTC, as the gateway counts days. */
  utc?: boolean;
  /** Called with the part that was marked with the pointer, in seconds since the epoch. */
  onZoom?: (from: number, to: number) => void;
}

/** Figures over time on a canvas. The numbers under the pointer stand in the legend. */
export function TimeChart(props: TimeChartProps) {
  const { label, times, series, format, height = 200, stacked, utc } = props;
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const zoom = useRef(props.onZoom);
  zoom.current = props.onZoom;
  const [pointed, setPointed] = useState<number | null>(null);
  const names = series.map((one) => `${one.label}:${one.colour}`).join('|');
  const theme = useThemeCount();

  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const made = new uPlot(
      optionsOf({
        element,
        series: stacked ? [...series].reverse() : series,
        format,
        height,
        stacked,
        utc,
        point: setPointed,
        zoom: (from, to) => zoom.current?.(from, to),
      }),
      [[]],
      element,
    );
    plot.current = made;
    const resized = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    resized.observe(element);
    return () => {
      resized.disconnect();
      made.destroy();
    };
    // The values come by setData below; what is drawn anew is what changes the form.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [names, height, stacked, utc, theme]);

  useEffect(() => {
    const values = series.map((one) => [...one.values]);
    plot.current?.setData([[...times], ...(stacked ? stack(values.reverse()) : values)]);
  }, [times, series, names, stacked, height, utc, theme]);

  const at = pointed !== null && pointed < times.length ? pointed : times.length - 1;
  return (
    <figure className={styles.chart}>
      <ul className={styles.legend}>
        {series.map((one) => (
          <li key={one.label}>
            <span className={classes(styles.swatch, styles[`colour${one.colour}`])} />
            {one.label}{' '}
            <strong>{shown(pointed === null && stacked ? sum(one.values) : one.values[at], format)}</strong>
          </li>
        ))}
        {pointed !== null && times[at] !== undefined && (
          <li className={styles.time}>{timeText(times[at], utc)}</li>
        )}
      </ul>
      <div ref={place} className={styles.canvas} role="img" aria-label={label} />
    </figure>
  );
}

/** With nothing pointed at, columns show what they come to and lines where they are. */
function sum(values: Series['values']): number {
  return values.reduce<number>((total, value) => total + (value ?? 0), 0);
}

function shown(value: number | null | undefined, format: (value: number) => string): string {
  return value === null || value === undefined ? '–' : format(value);
}

function timeText(seconds: number, utc?: boolean): string {
  const options: Intl.DateTimeFormatOptions = utc
    ? { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' }
    : { timeStyle: 'medium' };
  return new Date(seconds * 1000).toLocaleString('en', options);
}

/** Counts changes of the colours, which a canvas does not follow by itself. */
function useThemeCount(): number {
  const [count, setCount] = useState(0);
  useEffect(() => {
    const changed = () => setCount((now) => now + 1);
    const system = matchMedia('(prefers-color-scheme: dark)');
    system.addEventListener('change', changed);
    window.addEventListener('themechange', changed);
    return () => {
      system.removeEventListener('change', changed);
      window.removeEventListener('themechange', changed);
    };
  }, []);
  return count;
}
