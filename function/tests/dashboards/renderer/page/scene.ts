// A dashboard as a scene of @grafana/scenes: variables, and each panel with its queries. Owns the translation of the JSON.
import {
  DataSourceVariable, EmbeddedScene, QueryVariable, SceneDataTransformer, SceneGridItem, SceneGridLayout, SceneGridRow, SceneQueryRunner, SceneTimeRange,
  SceneVariableSet, TextBoxVariable, VariableValueSelectors, VizPanel,
} from '@grafana/scenes';

import { report } from './report';

const SOURCE = { uid: 'prometheus', type: 'prometheus' };

function variable(definition: any): any {
  const { type, name, label, query, hide, multi, includeAll, allValue, regex, sort } = definition;
  const common = { name, label, hide, skipUrlSync: true };
  switch (type) {
    case 'datasource': return new DataSourceVariable({ ...common, pluginId: query });
    case 'textbox': return new TextBoxVariable({ ...common, value: query });
    case 'query': return new QueryVariable({ ...common, datasource: SOURCE, query: query.query, isMulti: multi, includeAll, defaultToAll: includeAll, allValue, regex, sort });
    default: throw new Error(`expected a variable of type datasource, textbox or query, found ${type}`);
  }
}

/** The panel and what runs its queries, with the number of values that it got. */
function panel(definition: any) {
  const { title, description, type, options, fieldConfig, targets, transformations = [] } = definition;
  const $data = new SceneDataTransformer({ $data: new SceneQueryRunner({ datasource: SOURCE, queries: targets, maxDataPoints: 200 }), transformations });
  const values = () => ($data.state.data?.series ?? []).reduce((sum: number, { length }: any) => sum + length, 0);
  const shown = new VizPanel({ title, description, pluginId: type, options, fieldConfig, $data });
  const state = () => ({ title, state: $data.state.data?.state ?? 'NotStarted', values: values(), error: $data.state.data?.errors?.[0]?.message, pluginError: (shown.state as any)._pluginLoadError });
  return { shown, state };
}

const place = ({ gridPos: { x, y, w, h } }: any) => ({ x, y, width: w, height: h, isResizable: false, isDraggable: false });

export function scene(dashboard: any, range: { from: string; to: string }) {
  const states: (() => any)[] = [];
  const item = (definition: any) => {
    if (definition.type === 'row') return new SceneGridRow({ title: definition.title, ...place(definition), isCollapsible: false });
    const { shown, state } = panel(definition);
    states.push(state);
    return new SceneGridItem({ ...place(definition), body: shown });
  };
  report.panels = () => states.map((state) => state());
  return new EmbeddedScene({
    $timeRange: new SceneTimeRange({ ...range, timeZone: 'utc' }),
    $variables: new SceneVariableSet({ variables: dashboard.templating.list.map(variable) }),
    controls: [new VariableValueSelectors({})],
    body: new SceneGridLayout({ children: dashboard.panels.map(item) }),
  });
}
