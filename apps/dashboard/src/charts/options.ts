import uPlot from 'uplot';
import type { Series } from './time-chart';
import styles from './chart.module.css';

interface ChartForm {
  element: HTMLElement;
  series: readonly Series[];
  format: (value: number) => string;
  height: number;
  stacked?: boolean;
  utc?: boolean;
  point: (index: number | null) => void;
  zoom: (from: number, to: number) => void;
}

const FONT = '11px "Inter Variable", system-ui, sans-serif';
const LINE_WIDTH = 1.75;
/** A pull of the pointer shorter than this is a click. */
const LEAST_PULL_PX = 8;

export function optionsOf(form: ChartForm): uPlot.Options {
  const { element, series, height, stacked, utc } = form;
  return {
    width: element.clientWidth,
    height,
    padding: [8, 8, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      points: { show: !stacked },
      drag: { x: true, y: false, setScale: false },
    },
    ...(utc && { tzDate: (seconds: number) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC') }),
    scales: {
      x: { time: true, ...(stacked && { range: roomForColumns }) },
      y: { range: (_plot, _low, high) => [0, high > 0 ? high * 1.12 : 1] },
    },
    axes: axesOf(form),
    series: [{}, ...series.map((one) => seriesOf(element, one, stacked))],
    ...(stacked && { bands: series.slice(1).map((_one, index) => ({ series: [index + 1, index + 2] as [number, number] })) }), // prettier-ignore
    hooks: {
      setCursor: [({ cursor }) => form.point(cursor.idx ?? null)],
      setSelect: [
        (plot) => {
          const { left, width } = plot.select;
          if (width < LEAST_PULL_PX) return;
          form.zoom(plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x'));
          plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
        },
      ],
    },
  };
}

function axesOf({ element, format, utc }: ChartForm): uPlot.Axis[] {
  const text = colourOf(element, 'var(--text-faint)');
  const grid = { stroke: colourOf(element, 'var(--line)'), width: 1 };
  const axis = { stroke: text, font: FONT, grid, ticks: { show: false } };
  return [
    {
      ...axis,
      grid: { show: false },
      gap: 6,
      size: 28,
      space: 64,
      values: (_plot, splits, _axis, _space, step) => splits.map((at) => timeLabel(at, step, utc)),
    },
    {
      ...axis,
      gap: 6,
      space: 34,
      size: (_plot, values) => 16 + 6.6 * Math.max(4, ...(values ?? []).map((value) => value.length)),
      values: (_plot, splits) => splits.map((value) => format(value)),
    },
  ];
}

const DAY_SECONDS = 86_400;

/** A date where days are told apart, a time where hours are; the one line is all there is room for. */
function timeLabel(seconds: number, step: number, utc?: boolean): string {
  const date = new Date(seconds * 1000);
  const zone = utc ? { timeZone: 'UTC' } : {};
  if (step >= DAY_SECONDS) return date.toLocaleDateString('en', { day: 'numeric', month: 'short', ...zone });
  const second = step < 60 ? { second: '2-digit' as const } : {};
  return date.toLocaleTimeString('en', {
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    ...second,
    ...zone,
  });
}

/** Half a step on both sides, so that the first and the last column are whole. */
const roomForColumns: uPlot.Range.Function = ({ data: [times] }, low, high) => {
  const half = ((times[1] ?? low + 3600) - (times[0] ?? low)) / 2;
  return [low - half, high + half];
};

function seriesOf(element: HTMLElement, { label, colour }: Series, stacked?: boolean): uPlot.Series {
  const stroke = colourOf(element, `var(--chart-${colour})`);
  if (!stacked) return { label, stroke, width: LINE_WIDTH, spanGaps: false, points: { show: false } };
  return {
    label,
    stroke,
    fill: stroke,
    width: 0,
    paths: uPlot.paths.bars?.({ size: [0.72, 42], radius: 0.12 }),
    points: { show: false },
  };
}

/** Each series on the shoulders of those after it, for uPlot draws from the first to the last. */
export function stack(values: Array<Array<number | null>>): Array<Array<number | null>> {
  const sums = values.map((one) => [...one]);
  for (let series = sums.length - 2; series >= 0; series -= 1) {
    const below = sums[series + 1]!;
    sums[series] = sums[series]!.map((value, index) => (value ?? 0) + (below[index] ?? 0));
  }
  return sums;
}

/** A canvas knows no variables: the colour that the element would have. */
function colourOf(element: HTMLElement, value: string): string {
  const probe = document.createElement('span');
  probe.style.color = value;
  probe.className = styles.swatch ?? '';
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
