// The page that shows a picture, as one file. Owns how it is bundled; what it draws is in view.jsx.

/** The entry of the page; tests replace it with faulty ones. */
const ENTRY = `import { show } from './view.jsx'; window.show = show;`;

/** One file with the scripts, the styles and the fonts, so that the page has nothing to request. */
export async function page(entry = ENTRY) {
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    stdin: { contents: entry, resolveDir: import.meta.dirname },
    bundle: true,
    write: false,
    outdir: 'page',
    minify: true,
    jsx: 'automatic',
    loader: { '.woff2': 'dataurl' },
    define: { 'process.env.NODE_ENV': '"production"' },
    logLevel: 'error',
  });
  const text = (extension) => outputFiles.find(({ path }) => path.endsWith(extension)).text;
  return `<!doctype html><meta charset="utf-8"><style>${text('.css')}</style><div id="root"></div><script>${text('.js')}</script>`;
}
