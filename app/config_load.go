package app

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// A ConfigFault is one thing wrong with the configuration.
type ConfigFault struct {
	Variable string
	Problem  string // what is wrong, with the value unless it is a secret
	Want     string // what would be right
}

// ConfigError is everything that is wrong with the configuration, at once.
type ConfigError struct{ Faults []ConfigFault }

// Error lists the faults, one a line.
func (e *ConfigError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "the configuration is wrong in %d place(s):", len(e.Faults))
	for _, f := range e.Faults {
		fmt.Fprintf(&b, "\n  %s %s\n      want %s", f.Variable, f.Problem, f.Want)
	}
	return b.String()
}

func (e *ConfigError) add(variable, want, problem string, args ...any) {
	e.Faults = append(e.Faults, ConfigFault{variable, fmt.Sprintf(problem, args...), want})
}

func (e *ConfigError) orNil() error {
	if len(e.Faults) == 0 {
		return nil
	}
	return e
}

// BindFlags adds the flags of the table to a command's. Without variables it adds all of
// them, else those of the variables named.
func BindFlags(flags *pflag.FlagSet, variables ...string) {
	for i := range options {
		o := &options[i]
		if o.secret || len(variables) > 0 && !slices.Contains(variables, o.variable) {
			continue
		}
		// The default is not handed to pflag: what counts as set is decided by LoadConfig.
		// What stands in back quotes pflag takes for the name of the value.
		flags.String(o.flag(), "", strings.ReplaceAll(o.doc, "`", "")+" ["+o.variable+"]")
		flags.Lookup(o.flag()).DefValue = o.initial
		if isBool(o) {
			flags.Lookup(o.flag()).NoOptDefVal = "true"
		}
	}
}

func isBool(o *option) bool { return o.form == "true or false" }

// LoadConfig reads the configuration from environ (in the form of os.Environ) and from
// the flags that were given, which win; secrets also from the file that VARIABLE_FILE
// names. The error is a *ConfigError with every fault at once.
func LoadConfig(environ []string, flags *pflag.FlagSet) (Config, error) {
	env := map[string]string{}
	for _, line := range environ {
		if name, value, ok := strings.Cut(line, "="); ok && strings.HasPrefix(name, "STOA_") {
			env[name] = value
		}
	}
	c := Config{}
	faults := &ConfigError{}
	for i := range options {
		o := &options[i]
		text, source, err := o.lookUp(env, flags)
		if err != nil {
			faults.add(o.variable, o.form, "%s", err)
			continue
		}
		if source == "" {
			text, source = o.defaultIn(c.Env), "default"
		}
		if err := o.set(&c, text); err != nil {
			shown := fmt.Sprintf("(%q) ", text)
			if o.secret {
				shown = "" // a secret is not shown, however wrong
			}
			faults.add(o.variable, o.form, "%s%s", shown, err)
		}
		if o.secret && text != "" {
			text = "[redacted]"
		}
		c.Settings = append(c.Settings, Setting{o.variable, text, source})
	}
	c.Warnings = unknownVariables(env)
	c.derive()
	if err := c.Validate(); err != nil {
		var more *ConfigError
		if !errors.As(err, &more) {
			return Config{}, err
		}
		faults.addUnlessNamed(more.Faults)
	}
	if err := faults.orNil(); err != nil {
		return Config{}, err
	}
	return c, nil
}

// addUnlessNamed adds faults of variables that have none yet: a value that could not be
// read leaves a gap that a rule would complain of too.
func (e *ConfigError) addUnlessNamed(more []ConfigFault) {
	named := map[string]bool{}
	for _, f := range e.Faults {
		named[f.Variable] = true
	}
	for _, f := range more {
		if !named[f.Variable] {
			e.Faults = append(e.Faults, f)
		}
	}
}

// lookUp finds an option's text and says where; the source is empty when it is not set.
func (o *option) lookUp(env map[string]string, flags *pflag.FlagSet) (text, source string, err error) {
	if flags != nil && !o.secret {
		if f := flags.Lookup(o.flag()); f != nil && f.Changed {
			return f.Value.String(), "--" + o.flag(), nil
		}
	}
	// An empty variable counts as not set: that is how a shell or a compose file says so.
	text = env[o.variable]
	file := env[o.variable+"_FILE"]
	switch {
	case !o.secret || file == "":
	case text != "":
		return "", "", fmt.Errorf("is set, and so is %s_FILE: one of them must go", o.variable)
	default:
		b, err := os.ReadFile(file)
		if err != nil {
			return "", "", fmt.Errorf("cannot be read from its file: %w", err)
		}
		if text = strings.TrimSpace(string(b)); text == "" {
			return "", "", fmt.Errorf("is empty in its file, %s", file)
		}
		return text, o.variable + "_FILE", nil
	}
	if text == "" {
		return "", "", nil
	}
	return text, o.variable, nil
}

// derive fills in what follows from other values.
func (c *Config) derive() {
	if c.Site.PublicURL == nil && c.Site.BaseDomain != "" {
		c.Site.PublicURL = &url.URL{Scheme: "https", Host: c.Site.BaseDomain}
		if c.Env == Development {
			c.Site.PublicURL.Scheme = "http"
			if _, port, err := net.SplitHostPort(c.HTTP.Addr); err == nil && port != "80" && port != "0" {
				c.Site.PublicURL.Host += ":" + port
			}
		}
	}
	if c.Domains.Target == "" {
		c.Domains.Target = c.Site.BaseDomain
	}
	if c.Files.Dir == "" && c.DataDir != "" {
		c.Files.Dir = filepath.Join(c.DataDir, "files")
	}
	if len(c.Database.Cells) == 0 && !c.Database.URL.Empty() {
		c.Database.Cells = []CellConfig{{Name: "main", URL: c.Database.URL}}
	}
	if c.Backup.Scratch == "" && c.DataDir != "" {
		c.Backup.Scratch = filepath.Join(c.DataDir, "restored")
	}
}

// unknownVariables warns of variables that look like ours and are read by nothing: a
// misspelt name would otherwise be found out by its consequences.
func unknownVariables(env map[string]string) []string {
	var warnings []string
	for name := range env {
		if known(name) || strings.HasPrefix(name, "STOA_TEST_") || kubernetesLink(name) {
			continue
		}
		text := name + " is set and means nothing"
		if near := nearest(name); near != "" {
			text += "; is " + near + " meant?"
		}
		warnings = append(warnings, text)
	}
	slices.Sort(warnings)
	return warnings
}

func known(name string) bool {
	for i := range options {
		if o := &options[i]; name == o.variable || o.secret && name == o.variable+"_FILE" {
			return true
		}
	}
	return false
}

// kubernetesLink says whether Kubernetes made the variable for a service named stoa….
func kubernetesLink(name string) bool {
	return strings.HasSuffix(name, "_SERVICE_HOST") || strings.Contains(name, "_SERVICE_PORT") ||
		strings.HasSuffix(name, "_PORT") || strings.Contains(name, "_TCP")
}

// nearest is the known variable that differs from name in at most two letters.
func nearest(name string) string {
	best, distance := "", 3
	for i := range options {
		if d := editDistance(name, options[i].variable); d < distance {
			best, distance = options[i].variable, d
		}
	}
	return best
}

// editDistance is how many letters must be added, dropped or changed (Levenshtein).
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
