// The page as one HTML text: the sources in page/, bundled with Grafana's packages. Owns what esbuild needs to know of them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { build } from 'esbuild';

const PAGE = join(import.meta.dirname, 'page');

/** The script and the styles. */
async function bundle() {
  const { outputFiles } = await build({
    // Where aliases are found.
    absWorkingDir: import.meta.dirname,
    entryPoints: [join(PAGE, 'main.tsx')],
    bundle: true,
    write: false,
    outdir: 'out',
    format: 'iife',
    minify: true,
    logLevel: 'error',
    loader: { '.svg': 'text', '.woff2': 'dataurl', '.ttf': 'dataurl', '.png': 'dataurl' },
    define: { 'process.env.NODE_ENV': '"production"', global: 'window' },
    alias: { 'react-custom-scrollbars-2': join(PAGE, 'scrollbars.cjs'), 'react-router-dom-v5-compat': 'react-router-dom' },
  });
  const text = (extension) => outputFiles.find(({ path }) => path.endsWith(extension))?.text ?? '';
  return { script: text('.js'), styles: text('.css') + readFileSync(join(PAGE, 'page.css'), 'utf8') };
}

/** Returns the page for an input; the bundle is built once. */
export async function page() {
  const { script, styles } = await bundle();
  return (input) => `<!doctype html><meta charset="utf-8"><style>${styles}</style><body><div id="root"></div>
<script>window.grafanaBootData = { user: {}, settings: {}, navTree: [] }; window.INPUT = ${JSON.stringify(input).replaceAll('<', '\\u003c')}</script><script>${script.replaceAll('</script', '<\\/script')}</script>`;
}
