// Writes Rocket.Chat's request schemas to this folder, one JSON file per route that webhook-app calls.
// Needs `@rocket.chat/rest-typings` and `esbuild` installed in the working directory; see README.md.

import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

// Each route, and the name of its validator in the package.
const routes = {
  'chat.getMessage': 'isChatGetMessageProps',
  'chat.postMessage': 'isChatPostMessageProps',
  'chat.sendMessage': 'isChatSendMessageProps',
  'chat.update': 'isChatUpdateProps',
  'im.create': 'isDmCreateProps',
  'login': 'isLoginProps',
  'rooms.info': 'isRoomsInfoProps',
  'users.create': 'isUserCreateParamsPOST',
  'users.info': 'isUsersInfoParamsGetProps',
  'users.update': 'isUsersUpdateParamsPOST',
};

const typings = '@rocket.chat/rest-typings';
const installed = createRequire(pathToFileURL(join(process.cwd(), 'package.json')));

// Node cannot load the package as it is published, so esbuild bundles it into one file.
const bundle = join(process.cwd(), 'rest-typings.bundle.cjs');
installed('esbuild').buildSync({
  stdin: { contents: `export * from '${typings}';`, resolveDir: process.cwd() },
  bundle: true,
  platform: 'node',
  outfile: bundle,
  logLevel: 'error',
});
const validators = installed(bundle);

for (const [route, name] of Object.entries(routes)) {
  const schema = validators[name]?.schema;
  if (!schema) {
    throw new Error(`${typings} exports no schema named ${name}; look up the new name for ${route}`);
  }
  const file = new URL(`${route}.json`, import.meta.url);
  writeFileSync(file, `${JSON.stringify(schema, null, 2)}\n`);
}

const { version } = JSON.parse(readFileSync(join(process.cwd(), 'node_modules', typings, 'package.json'), 'utf8'));
process.stdout.write(`${Object.keys(routes).length} schemas written from ${typings} ${version}\n`);
