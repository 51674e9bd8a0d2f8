// Package nginx renders the configuration of Nginx that stands in this folder, and runs
// an Nginx with it, for tests and measurements that go through the real thing.
package nginx

import (
	_ "embed"
	"fmt"
	"os"
	"slices"
	"strings"
)

//go:embed nginx.conf.template
var template string

//go:embed defaults.env
var defaults string

// Values fill in the template, by the names in defaults.env.
type Values map[string]string

// Defaults are the values of defaults.env.
func Defaults() Values {
	values := Values{}
	for line := range strings.Lines(defaults) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if ok && strings.HasPrefix(name, "STOA_NGINX_") {
			values[name] = strings.Trim(value, "'")
		}
	}
	return values
}

// Render is the configuration with values in place of the defaults, just as the script
// render makes it. A value that the template does not know is an error.
func Render(values Values) (string, error) {
	all := Defaults()
	for name, value := range values {
		if _, known := all[name]; !known {
			return "", fmt.Errorf("render nginx.conf: there is no %s", name)
		}
		all[name] = value
	}
	var missing []string
	text := os.Expand(template, func(name string) string {
		value, known := all[name]
		switch {
		case known:
			return value
		case strings.HasPrefix(name, "STOA_"):
			missing = append(missing, name)
		}
		return "$" + name // Nginx's own
	})
	if len(missing) > 0 {
		slices.Sort(missing)
		return "", fmt.Errorf("render nginx.conf: no value for %s", strings.Join(slices.Compact(missing), ", "))
	}
	return text, nil
}
