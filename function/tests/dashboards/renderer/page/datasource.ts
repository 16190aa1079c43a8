// Prometheus as a data source: Grafana's own is not part of its packages with an open licence. Owns `$__rate_interval`, the
// queries of panels and variables, and how a response becomes frames.
import * as data from '@grafana/data';
import { setDataSourceSrv, setRunRequest, setTemplateSrv } from '@grafana/runtime';
import { sceneGraph } from '@grafana/scenes';
import { from, of } from 'rxjs';
import { catchError, map } from 'rxjs/operators';

import { report } from './report';

const { scrapeSeconds } = (window as any).INPUT;

const SETTINGS: any = { uid: 'prometheus', type: 'prometheus', name: 'Prometheus', meta: { id: 'prometheus', info: {} }, isDefault: true };

/** Several values of a variable become a regular expression. */
const format = (value: unknown) => (Array.isArray(value) ? `(${value.join('|')})` : String(value));

/** `text` with the values of the variables of the dashboard and those that Grafana has for each query. */
function interpolate(text: string, scoped: any, request?: any): string {
  let done = text;
  if (request) {
    const interval = Math.max(Math.ceil(request.intervalMs / 1000), scrapeSeconds);
    const range = Math.round((request.range.to - request.range.from) / 1000);
    // The longer name first.
    const builtIn = {
      __range_s: String(range),
      __rate_interval: `${Math.max(interval + scrapeSeconds, 4 * scrapeSeconds)}s`,
      __interval: `${interval}s`,
      __range: `${range}s`,
    };
    for (const [name, value] of Object.entries(builtIn)) done = done.replaceAll(`$${name}`, value).replaceAll(`\${${name}}`, value);
  }
  done = done.replace(/\$\{__field\.labels\.(\w+)\}/g, (_, label) => scoped?.__field?.value?.labels?.[label] ?? scoped?.__field?.value?.field?.labels?.[label] ?? '');
  return scoped?.__sceneObject ? sceneGraph.interpolate(scoped.__sceneObject.value.valueOf(), done, scoped, format) : done;
}

async function call(path: string, parameters: Record<string, any>) {
  const response = await fetch(`${path}?${new URLSearchParams(parameters)}`);
  const body = await response.json();
  report.queries.push({ path, ...parameters, series: body.data?.result?.length ?? body.data?.length ?? 0, error: body.error });
  if (body.status !== 'success') throw new Error(`${parameters.query}: ${body.error}`);
  return body.data;
}

/** One row for each series, as `format: table` asks for. The values of several queries differ by their names. */
function asTable(refId: string, result: any[], isOnly: boolean) {
  const labels = [...new Set(result.flatMap(({ metric }) => Object.keys(metric)))];
  const column = (name: string) => ({ name, type: 'string', values: result.map(({ metric }) => metric[name]) });
  const fields: any[] = [{ name: 'Time', type: 'time', values: result.map(({ value }) => value[0] * 1000) }, ...labels.map(column)];
  return data.toDataFrame({ refId, fields: [...fields, { name: isOnly ? 'Value' : `Value #${refId}`, type: 'number', values: result.map(({ value }) => Number(value[1])) }] });
}

/** The interval shows where samples are missing, so that no line is drawn there. */
function asSeries(refId: string, legend: string | undefined, step: number, { metric, values, value }: any) {
  const samples = values ?? [value];
  const name = legend?.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, label) => metric[label] ?? '');
  const { __name__, ...labels } = metric;
  const number = { name: 'Value', type: 'number', labels, config: name ? { displayNameFromDS: name } : {}, values: samples.map((sample: any) => Number(sample[1])) };
  return data.toDataFrame({ refId, name, fields: [{ name: 'Time', type: 'time', config: { interval: step * 1000 }, values: samples.map((sample: any) => sample[0] * 1000) }, number] } as any);
}

class Prometheus extends data.DataSourceApi<any> {
  constructor() {
    super({ ...SETTINGS, jsonData: {} });
    Object.assign(this, { uid: SETTINGS.uid, type: SETTINGS.type });
  }

  query(request: any): any {
    const frames = Promise.all(request.targets.map((target: any) => this.frames(request, target)));
    return from(frames.then((found) => ({ data: found.flat(), state: 'Done', key: request.requestId })));
  }

  private async frames(request: any, { expr, refId, instant, format: shape, legendFormat }: any) {
    const query = interpolate(expr, request.scopedVars, request);
    const [start, end] = [request.range.from.valueOf() / 1000, request.range.to.valueOf() / 1000];
    const step = Math.max(Math.ceil(request.intervalMs / 1000), 1);
    const { result } = instant ? await call('/api/v1/query', { query, time: end }) : await call('/api/v1/query_range', { query, start, end, step });
    if (shape === 'table') return result.length === 0 ? [] : [asTable(refId, result, request.targets.length === 1)];
    return result.map((series: any) => asSeries(refId, legendFormat, step, series));
  }

  async metricFindQuery(query: any, options: any) {
    const text = interpolate(query.query ?? query, options?.scopedVars);
    const parts = text.match(/^label_values\((?:(.+),)?\s*(\w+)\)$/);
    if (!parts) throw new Error(`expected label_values(…) as the query of a variable, found ${text}`);
    const values = await call(`/api/v1/label/${parts[2]}/values`, parts[1] ? { 'match[]': parts[1].trim() } : {});
    return values.map((value: string) => ({ text: value }));
  }

  async testDatasource() {
    return { status: 'success', message: '' } as any;
  }
}

export function registerDataSource() {
  const source = new Prometheus();
  // Those for logs and traces have a name here, and no server.
  const named = (type: string, name: string) => ({ ...SETTINGS, uid: type, type, name, isDefault: false });
  const all = [SETTINGS, named('loki', 'Logs'), named('jaeger', 'Traces')];
  const getList = (filter?: any) => all.filter(({ type }) => !filter?.pluginId || filter.pluginId === type);
  setTemplateSrv({ replace: (text: string, scoped: any) => interpolate(text || '', scoped), getVariables: () => [], containsTemplate: () => false, updateTimeRange() {} } as any);
  setDataSourceSrv({ get: async () => source, getInstanceSettings: () => SETTINGS, getList, reload() {}, registerRuntimeDataSource() {} } as any);
  setRunRequest(((used: any, request: any) =>
    used.query(request).pipe(
      map(({ data: frames }: any) => ({ state: data.LoadingState.Done, series: frames, timeRange: request.range, request })),
      catchError((error: any) => of({ state: data.LoadingState.Error, series: [], errors: [{ message: error.message }], error: { message: error.message }, timeRange: request.range })),
    )) as any);
}
