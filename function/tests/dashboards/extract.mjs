// Writes the JSON of each dashboard to a folder, for the check of its schema: `node extract.mjs FOLDER`.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { dashboards } from './read.mjs';

dashboards().forEach(({ key, text }) => writeFileSync(join(process.argv[2], key), text));
