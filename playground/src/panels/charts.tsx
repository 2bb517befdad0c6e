import { useState } from "preact/hooks";
import { formatNumber } from "../format.ts";
import { axisFor, type DayOfTokens } from "./chart-scale.ts";
import { formatDay, formatShort } from "./formats.ts";

/** The size of a chart by days, in its own units. The picture takes the width that there is. */
const WIDTH = 640;
const HEIGHT = 220;
const LEFT = 48;
const BOTTOM = 24;
const TOP = 8;
/** About how many days are labelled. */
const LABELS = 6;

interface DayChartProps {
  readonly days: readonly DayOfTokens[];
  /** What the chart shows, for screen readers. */
  readonly title: string;
}

/** A bar for each day: tokens that were read, with the cached part of them in a lighter tone, and above them those that were written. */
export function DayChart({ days, title }: DayChartProps) {
  const [shown, setShown] = useState<number>();
  const axis = axisFor(Math.max(...days.map(({ input, output }) => input + output)));
  const height = HEIGHT - BOTTOM - TOP;
  const y = (tokens: number) => TOP + height - (tokens / axis.max) * height;
  const step = (WIDTH - LEFT) / days.length;
  const every = Math.max(1, Math.round(days.length / LABELS));
  const chosen = shown === undefined ? undefined : days[shown];
  return (
    <figure class="usage-chart">
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="img"
        aria-label={title}
        onMouseLeave={() => setShown(undefined)}
      >
        {axis.ticks.map((tick) => (
          <g key={tick}>
            <line class="usage-grid" x1={LEFT} x2={WIDTH} y1={y(tick)} y2={y(tick)} />
            <text class="usage-label" x={LEFT - 8} y={y(tick) + 4} text-anchor="end">
              {formatShort(tick)}
            </text>
          </g>
        ))}
        {days.map(({ day, input, cached, output }, index) => {
          const x = LEFT + index * step;
          const bar = { x: x + step * 0.15, width: step * 0.7 };
          return (
            <g key={day} onMouseEnter={() => setShown(index)} data-shown={shown === index}>
              <rect class="usage-hover" x={x} y={TOP} width={step} height={height} />
              <rect class="usage-input" {...bar} y={y(input)} height={y(cached) - y(input)} />
              <rect class="usage-cached" {...bar} y={y(cached)} height={y(0) - y(cached)} />
              <rect
                class="usage-output"
                {...bar}
                y={y(input + output)}
                height={y(input) - y(input + output)}
              />
              {index % every === 0 && (
                <text class="usage-label" x={x + step / 2} y={HEIGHT - 6} text-anchor="middle">
                  {formatDay(day)}
                </text>
              )}
            </g>
          );
        })}
      </svg>
      <figcaption class="row usage-legend">
        <Legend tone="input" label="Read" value={chosen && chosen.input - chosen.cached} />
        <Legend tone="cached" label="Read from the cache" value={chosen?.cached} />
        <Legend tone="output" label="Written" value={chosen?.output} />
        <span class="muted">{chosen ? formatDay(chosen.day) : ""}</span>
      </figcaption>
      <details>
        <summary>Show as a table</summary>
        <DayTable days={days.filter(({ runs }) => runs > 0)} />
      </details>
    </figure>
  );
}

interface LegendProps {
  readonly tone: "input" | "cached" | "output";
  readonly label: string;
  /** Of the day that the mouse points at. */
  readonly value: number | undefined;
}

function Legend({ tone, label, value }: LegendProps) {
  return (
    <span class="row usage-key">
      <span class="usage-swatch" data-tone={tone} aria-hidden="true" />
      {label}
      {value !== undefined && <strong>{formatNumber(value)}</strong>}
    </span>
  );
}

function DayTable({ days }: { readonly days: readonly DayOfTokens[] }) {
  return (
    <table class="usage-table">
      <thead>
        <tr>
          <th scope="col">Day</th>
          <th scope="col">Answers</th>
          <th scope="col">Read</th>
          <th scope="col">Of these, cached</th>
          <th scope="col">Written</th>
        </tr>
      </thead>
      <tbody>
        {days.map(({ day, runs, input, cached, output }) => (
          <tr key={day}>
            <th scope="row">{formatDay(day)}</th>
            <td>{formatNumber(runs)}</td>
            <td>{formatNumber(input)}</td>
            <td>{formatNumber(cached)}</td>
            <td>{formatNumber(output)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** A bar of a list: what it is about, and its tokens. */
export interface BarItem {
  readonly key: string;
  readonly label: string;
  readonly input: number;
  readonly output: number;
}

/** A list of bars, the longest of which takes the whole width. */
export function BarList({ items }: { readonly items: readonly BarItem[] }) {
  const greatest = Math.max(1, ...items.map(({ input, output }) => input + output));
  return (
    <ul class="usage-bars">
      {items.map(({ key, label, input, output }) => (
        <li key={key}>
          <span class="usage-bar-label">{label}</span>
          <span class="muted">
            {formatNumber(input)} read, {formatNumber(output)} written
          </span>
          <span class="usage-track" aria-hidden="true">
            <span class="usage-input" style={{ inlineSize: `${(input / greatest) * 100}%` }} />
            <span class="usage-output" style={{ inlineSize: `${(output / greatest) * 100}%` }} />
          </span>
        </li>
      ))}
    </ul>
  );
}
