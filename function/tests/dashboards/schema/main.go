// Checks dashboards strictly against Grafana's schema: an unknown field or a value of the wrong type is an error that names it.
// usage: dashboards FILE…, each with the JSON of one dashboard
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/grafana/grafana-foundation-sdk/go/bargauge"
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/table"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

func main() {
	registerSchemas()
	failed := false
	for _, file := range os.Args[1:] {
		if err := check(file); err != nil {
			fmt.Fprintf(os.Stderr, "%s: expected a dashboard of Grafana's schema, found:\n%v\n", filepath.Base(file), err)
			failed = true
		}
	}
	if failed {
		os.Exit(1)
	}
	fmt.Printf("%d dashboards fit Grafana's schema\n", len(os.Args)-1)
}

// The types of panels that the renderer can show, and their queries. Options of another type would not be checked.
func registerSchemas() {
	schemas := cog.NewRuntime()
	schemas.RegisterPanelcfgVariant(bargauge.VariantConfig())
	schemas.RegisterPanelcfgVariant(stat.VariantConfig())
	schemas.RegisterPanelcfgVariant(table.VariantConfig())
	schemas.RegisterPanelcfgVariant(timeseries.VariantConfig())
	schemas.RegisterDataqueryVariant(prometheus.VariantConfig())
}

func check(file string) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if !json.Valid(content) {
		return errors.New("the text is not JSON")
	}
	var checked dashboard.Dashboard
	if err := checked.UnmarshalJSONStrict(content); !isEmpty(err) {
		return err
	}
	if err := checked.Validate(); !isEmpty(err) {
		return err
	}
	return checkFields(content)
}

// The library does not check the options of fields that all types of panels have, so they are checked alone.
func checkFields(content []byte) error {
	var parts struct {
		Panels []struct {
			Title       string
			FieldConfig struct {
				Defaults map[string]json.RawMessage
			}
		}
	}
	if err := json.Unmarshal(content, &parts); err != nil {
		return err
	}
	for _, panel := range parts.Panels {
		// The options of one type, which the strict check has read, and links of data, which the library takes for links of a
		// dashboard; dashboards.test.mjs checks their fields.
		delete(panel.FieldConfig.Defaults, "custom")
		delete(panel.FieldConfig.Defaults, "links")
		defaults, err := json.Marshal(panel.FieldConfig.Defaults)
		if err != nil {
			return err
		}
		var fields dashboard.FieldConfig
		if err := fields.UnmarshalJSONStrict(defaults); !isEmpty(err) {
			return fmt.Errorf("panel %q, fieldConfig.defaults: %w", panel.Title, err)
		}
	}
	return nil
}

// Nested types of the library return a list of no errors in the place of nil.
func isEmpty(err error) bool {
	var list cog.BuildErrors
	return err == nil || errors.As(err, &list) && len(list) == 0
}
