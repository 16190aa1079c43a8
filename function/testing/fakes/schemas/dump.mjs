// Writes Rocket.Chat's own request schemas, one JSON file per route we call, beside this script.
// Needs `@rocket.chat/rest-typings` and `esbuild` installed in the folder it is started from; see README.md.
// Knows nothing of who reads the files.

import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

// The route, and the validator which the contract package exports for it.
const routes = {
  'chat.getMessage': 'isChatGetMessageProps',
  'chat.sendMessage': 'isChatSendMessageProps',
  'chat.update': 'isChatUpdateProps',
  'im.create': 'isDmCreateProps',
  'users.info': 'isUsersInfoParamsGetProps',
};

const contract = '@rocket.chat/rest-typings';
const installed = createRequire(pathToFileURL(join(process.cwd(), 'package.json')));

// The package is written in ES module syntax which Node does not load; esbuild makes one file of it.
const bundle = join(process.cwd(), 'rest-typings.bundle.cjs');
installed('esbuild').buildSync({
  stdin: { contents: `export * from '${contract}';`, resolveDir: process.cwd() },
  bundle: true,
  platform: 'node',
  outfile: bundle,
  logLevel: 'error',
});
const validators = installed(bundle);

for (const [route, name] of Object.entries(routes)) {
  const schema = validators[name]?.schema;
  if (!schema) {
    throw new Error(`${contract} exports no schema as ${name}; look up the new name for ${route}`);
  }
  const file = new URL(`${route}.json`, import.meta.url);
  writeFileSync(file, `${JSON.stringify(schema, null, 2)}\n`);
}

const { version } = JSON.parse(readFileSync(join(process.cwd(), 'node_modules', contract, 'package.json'), 'utf8'));
process.stdout.write(`${Object.keys(routes).length} schemas written from ${contract} ${version}\n`);
