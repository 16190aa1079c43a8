// What Grafana's own application registers before a panel can be shown: field options, their editors, and transformations.
// Owns their defaults, which are Grafana's. The panels themselves are in panels.tsx.
import * as data from '@grafana/data';

const EDITORS = ['number', 'text', 'boolean', 'select', 'multi-select', 'color', 'radio', 'unit', 'fieldColor', 'slider', 'stats-picker', 'thresholds', 'mappings', 'links', 'actions', 'string', 'field-name'];

/** An option of a field. The editors are never shown. */
const option = (path: string, defaultValue?: unknown, process: unknown = (value: unknown) => value) => ({
  id: path, path, name: path, description: '', editor: () => null, override: () => null, process, defaultValue,
  settings: {}, shouldApply: () => true, getItemsCount: () => 0,
});

const THRESHOLDS = { mode: 'absolute', steps: [{ value: -Infinity, color: 'green' }, { value: 80, color: 'red' }] };

const fieldOptions = () => [
  option('unit', undefined, data.unitOverrideProcessor),
  option('min', undefined, data.numberOverrideProcessor),
  option('max', undefined, data.numberOverrideProcessor),
  option('fieldMinMax'),
  option('decimals', undefined, data.numberOverrideProcessor),
  option('displayName', undefined, data.stringOverrideProcessor),
  option('color', { mode: 'palette-classic' }),
  option('noValue'),
  option('links', [], data.dataLinksOverrideProcessor),
  option('mappings', [], data.valueMappingsOverrideProcessor),
  option('thresholds', THRESHOLDS, data.thresholdsOverrideProcessor),
  option('filterable'),
  option('actions', []),
];

export function registerFieldOptions() {
  data.standardEditorsRegistry.setInit(() => EDITORS.map((id) => ({ id, name: id, editor: () => null }) as any));
  data.standardFieldConfigEditorRegistry.setInit(() => fieldOptions() as any);
}

export function registerTransformations() {
  const shown = (transformation: any) => ({ id: transformation.id, name: transformation.name, editor: () => null, transformation: async () => transformation, imageDark: '', imageLight: '' });
  // Two names stand for one transformation.
  const byId = new Map(Object.values(data.standardTransformers).map((transformation: any) => [transformation.id, transformation]));
  data.standardTransformersRegistry.setInit(() => [...byId.values()].map(shown) as any);
}
