// @grafana/ui imports this package as an ES module, and it is a CommonJS module whose default export esbuild wraps.
const module_ = require('../node_modules/react-custom-scrollbars-2/lib/index.js');
module.exports = module_.default ?? module_;
module.exports.Scrollbars = module_.Scrollbars ?? module_.default;
