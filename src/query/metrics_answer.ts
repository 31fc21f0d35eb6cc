// From what was counted in all places to the series of the answer.

import { intervalsOf } from "../search/intervals.ts";
import type { SeriesPart } from "../search/series_part.ts";
import type { Query } from "../traceql/index.ts";
import { chosenExemplars } from "./chosen_exemplars.ts";
import { compareSeries } from "./metrics_compare.ts";
import { comparedGroupsOf, groupsOf, sideOf } from "./metrics_groups.ts";
import { comparedRoom, fitting } from "./metrics_room.ts";
import { metricsSeries } from "./metrics_series.ts";
import type { MetricsRequest, Series } from "./metrics_types.ts";

export interface PartSeries {
  series: Series[];
  /** Whether there was no room for some. */
  isCut: boolean;
}

type Asked = Pick<MetricsRequest, "startNanos" | "endNanos" | "stepNanos" | "isInstant" | "exemplars">;

/** @param query with a metrics stage */
export function seriesOfPart({ metrics: stage }: Query, part: SeriesPart, request: Asked): PartSeries {
  if (stage === null) throw new Error("metrics: the query has no metrics stage");
  const picked = chosenExemplars(part.exemplars, request);
  const { function: first } = stage;
  if (first.kind === "compare") {
    const groups = comparedGroupsOf(part);
    const room = comparedRoom(groups, first, intervalsOf(request));
    const exemplars = picked.map(({ group, ...exemplar }) => ({ ...exemplar, side: sideOf(group) }));
    const compared = { groups: room.groups, exemplars };
    const series = compareSeries({ ...first, topN: room.topN }, compared, request);
    return { series, isCut: part.isCut || room.isCut };
  }
  const { groups, places } = groupsOf(part, first.by.length);
  const room = fitting(groups, first, intervalsOf(request));
  const shown = new Map(room.groups.map((group, place) => [group, place]));
  const exemplars = picked.flatMap((exemplar) => {
    const group = shown.get(groups[places[exemplar.group]!]!);
    return group === undefined ? [] : [{ ...exemplar, group }];
  });
  const series = metricsSeries(stage, { groups: room.groups, exemplars }, request);
  return { series, isCut: part.isCut || room.isCut };
}
