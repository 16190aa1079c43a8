// The types of panels that the dashboards use, drawn by the components of @grafana/ui. Owns how options reach a component.
// A type that is not here is an error of its panel.
import * as data from '@grafana/data';
import { setPluginImportUtils } from '@grafana/runtime';
import { BarGauge, BigValue, Table, TimeSeries, VizRepeater } from '@grafana/ui';
import React from 'react';

import { theme } from './theme';

/** Grafana's defaults of a time series. */
const TIME_SERIES = {
  drawStyle: 'line', lineInterpolation: 'linear', barAlignment: 0, barWidthFactor: 0.6, lineWidth: 1, fillOpacity: 0, gradientMode: 'none', spanNulls: false,
  insertNulls: false, showPoints: 'auto', pointSize: 5, stacking: { mode: 'none', group: 'A' }, axisPlacement: 'auto',
  axisLabel: '', axisColorMode: 'text', axisBorderShow: false, scaleDistribution: { type: 'linear' }, axisCenteredZero: false,
  hideFrom: { tooltip: false, viz: false, legend: false }, thresholdsStyle: { mode: 'off' }, lineStyle: { fill: 'solid' },
  lineColor: undefined, fillColor: undefined, pointColor: undefined, axisWidth: undefined, axisSoftMin: undefined,
  axisSoftMax: undefined, fillBelowTo: undefined, transform: undefined, axisGridShow: undefined, showValues: false,
};
const TABLE = { width: undefined, align: 'auto', cellOptions: { type: 'auto' }, inspect: false, filterable: false };

const isEmpty = (frames: any[]) => frames.every((frame) => frame.length === 0);

/** What Grafana shows in the place of no data: the field option `noValue`. */
const NoData = ({ fieldConfig }: any) => <div className="no-data">{fieldConfig.defaults.noValue ?? 'No data'}</div>;

function TimeSeriesPanel(props: any) {
  if (isEmpty(props.data.series)) return <NoData {...props} />;
  // Grafana prepares the frames in the same way: with the interval of the bars, and stacked series in one scale.
  return (
    <TimeSeries frames={props.data.series} structureRev={props.data.structureRev ?? 1} timeRange={props.timeRange} timeZone="utc"
      width={props.width} height={props.height} legend={props.options.legend} options={props.options} replaceVariables={props.replaceVariables}
      tweakScale={(scale: any) => scale} tweakAxis={(axis: any) => axis}>
      {() => <></>}
    </TimeSeries>
  );
}

const displayValues = ({ fieldConfig, options, replaceVariables, data: { series } }: any) =>
  data.getFieldDisplayValues({ fieldConfig, reduceOptions: options.reduceOptions, replaceVariables, theme, data: series, timeZone: 'utc' } as any);

/** A component for each value. */
const Repeated = ({ panel, orientation, renderValue, getAlignmentFactors }: any) => (
  <VizRepeater getValues={() => displayValues(panel)} getAlignmentFactors={getAlignmentFactors} orientation={orientation} source={panel.data} width={panel.width} height={panel.height}
    renderCounter={panel.renderCounter} itemSpacing={panel.options.displayMode ? 4 : 8} renderValue={renderValue} minVizHeight={16} maxVizHeight={panel.options.maxVizHeight} />
);

const Stat = (panel: any) => (
  <Repeated panel={panel} orientation={panel.options.orientation} renderValue={({ value, width, height }: any) => (
    <BigValue value={value.display} colorMode={panel.options.colorMode} graphMode={panel.options.graphMode} textMode={panel.options.textMode}
      justifyMode={panel.options.justifyMode} theme={theme as any} width={width} height={height} />
  )} />
);

const Bars = (panel: any) =>
  isEmpty(panel.data.series) ? <NoData {...panel} /> : (
    <Repeated panel={panel} orientation={panel.options.orientation} getAlignmentFactors={data.getDisplayValueAlignmentFactors} renderValue={({ value, width, height, orientation, alignmentFactors }: any) => (
      <BarGauge value={value.display} field={value.field} display={value.view?.getFieldDisplayProcessor(value.colIndex)} width={width} height={height}
        orientation={orientation} theme={theme as any} displayMode={panel.options.displayMode} namePlacement={panel.options.namePlacement} text={panel.options.text} alignmentFactors={alignmentFactors} itemSpacing={4} />
    )} />
  );

const TablePanel = (panel: any) =>
  isEmpty(panel.data.series) ? <NoData {...panel} /> : <Table data={panel.data.series[0]} width={panel.width} height={panel.height} columnMinWidth={70} />;

function plugin(id: string, component: any, fieldDefaults: object = {}) {
  const useCustomConfig = (builder: any) =>
    Object.entries(fieldDefaults).forEach(([path, defaultValue]) =>
      builder.addCustomEditor({ id: path, path, name: path, editor: () => null, override: () => null, process: (value: unknown) => value, shouldApply: () => true, defaultValue }));
  const made = new data.PanelPlugin(component).useFieldConfig({ useCustomConfig });
  made.meta = { id, name: id, info: { version: '', logos: {} } } as any;
  return made;
}

export function registerPanels() {
  const plugins: Record<string, any> = {
    timeseries: plugin('timeseries', TimeSeriesPanel, TIME_SERIES),
    stat: plugin('stat', Stat),
    bargauge: plugin('bargauge', Bars),
    table: plugin('table', TablePanel, TABLE),
  };
  const importPanelPlugin = async (id: string) => {
    if (!plugins[id]) throw new Error(`expected one of ${Object.keys(plugins).join(', ')} as the type of a panel, found ${id}`);
    return plugins[id];
  };
  setPluginImportUtils({ importPanelPlugin, getPanelPluginFromCache: (id: string) => plugins[id] });
}
