package helm

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Manifests is where the manifests lie, below the project's folder.
const Manifests = "deploy/manifests"

// namespace is the manifest that people wrote: the chart makes none.
const namespace = "00-namespace.yaml"

// Written are the files that are made of the chart and of the program's settings, by their path below root, with what
// they should hold.
func Written(root string) (map[string][]byte, error) {
	files, err := manifests(root)
	if err != nil {
		return nil, err
	}
	for path, make := range map[string]func(root string, now []byte) ([]byte, error){
		Dir + "/README.md":          withValues,
		Dir + "/values.schema.json": withSettings,
	} {
		now, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			return nil, fmt.Errorf("made anew in place: %w", err)
		}
		if files[path], err = make(root, now); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return files, nil
}

// manifests are the chart's for values-prod.yaml, a file for each of its templates.
func manifests(root string) (map[string][]byte, error) {
	c, err := Load(root)
	if err != nil {
		return nil, err
	}
	values, err := ValuesFile(c, "values-prod.yaml")
	if err != nil {
		return nil, err
	}
	made, err := Render(c, values)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for part := range strings.SplitSeq(strings.TrimPrefix(made.Manifest, "---\n"), "\n---\n") {
		source, body, whole := strings.Cut(part, "\n")
		path, ok := strings.CutPrefix(source, "# Source: stoa/templates/")
		if !whole || !ok {
			return nil, fmt.Errorf("a manifest begins with %q and not with its source", source)
		}
		path = filepath.Join(Manifests, path)
		if files[path] == nil {
			files[path] = []byte("# Rendered from helm/stoa with values-prod.yaml by make manifests.\n")
		}
		body = strings.ReplaceAll(body, "managed-by: Helm", "managed-by: kubectl")
		files[path] = fmt.Appendf(files[path], "---\n%s\n", strings.TrimRight(body, "\n"))
	}
	return files, nil
}

// Rendered are the manifests that were rendered once, by their path below root, whether or not they still would be.
func Rendered(root string) (paths []string, err error) {
	found, err := filepath.Glob(filepath.Join(root, Manifests, "*.yaml"))
	if err != nil {
		return nil, fmt.Errorf("manifests: %w", err)
	}
	for _, path := range found {
		if filepath.Base(path) != namespace {
			paths = append(paths, filepath.Join(Manifests, filepath.Base(path)))
		}
	}
	return paths, nil
}

// Decided are the settings that the chart itself decides, from values of other names or for good.
var Decided = []string{
	"STOA_ENV", "STOA_BASE_DOMAIN", "STOA_HTTP_ADDR", "STOA_OPS_ADDR", "STOA_TRUSTED_PROXIES", "STOA_DRAIN_DELAY",
	"STOA_DRAIN_TIMEOUT", "STOA_DOMAINS_ADDRESSES", "STOA_ACME_DIRECTORY", "STOA_ACME_EMAIL", "STOA_CERTIFICATES_DIR",
	"STOA_DATA_DIR", "STOA_FILES_DIR", "STOA_WITH_WORKER",
}

var setting = regexp.MustCompile("(?m)^\\| `(STOA_[A-Z0-9_]+)` \\| (secret)?")

// Settings are the variables of docs/configuration.md, secrets apart.
func Settings(root string) (plain, secret []string, err error) {
	page, err := os.ReadFile(filepath.Join(root, "docs/configuration.md"))
	if err != nil {
		return nil, nil, fmt.Errorf("settings: %w", err)
	}
	for _, found := range setting.FindAllStringSubmatch(string(page), -1) {
		if found[2] != "" {
			secret = append(secret, found[1])
		} else {
			plain = append(plain, found[1])
		}
	}
	return plain, secret, nil
}

var (
	plainNames  = regexp.MustCompile(`("settings": \{\s*"type": "object",\s*"additionalProperties": false,\s*"properties": \{)(?:\s*"STOA_\w+": \{[^}]*\},?)*(\s*\})`)
	secretNames = regexp.MustCompile(`("uniqueItems": true,\s*"items": \{\s*"enum": \[)[^\]]*(\])`)
)

// withSettings is the schema with the names of today's settings.
func withSettings(root string, now []byte) ([]byte, error) {
	plain, secret, err := Settings(root)
	if err != nil {
		return nil, err
	}
	plain = slices.DeleteFunc(plain, func(name string) bool { return slices.Contains(Decided, name) })
	for place, lines := range map[*regexp.Regexp]struct {
		names  []string
		before string
		after  string
	}{
		plainNames:  {plain, "\n        \"", `": {"$$ref": "#/$$defs/setting"}`},
		secretNames: {secret, "\"", `"`},
	} {
		if !place.Match(now) {
			return nil, fmt.Errorf("finds no place for the names of settings (%s)", place)
		}
		list := lines.before + strings.Join(lines.names, lines.after+","+lines.before) + lines.after
		now = place.ReplaceAll(now, []byte("${1}"+list+"${2}"))
	}
	return now, nil
}

const begin, end = "<!-- values: written by make manifests -->\n", "<!-- /values -->\n"

// withValues is the chart's README with a table of values.yaml: each value with its default and what is said of it there.
func withValues(root string, now []byte) ([]byte, error) {
	text, err := os.ReadFile(filepath.Join(root, Dir, "values.yaml"))
	if err != nil {
		return nil, fmt.Errorf("values: %w", err)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return nil, fmt.Errorf("values.yaml: %w", err)
	}
	before, rest, found := strings.Cut(string(now), begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		return nil, fmt.Errorf("has no place for the table of values (%s)", strings.TrimSpace(begin))
	}
	table := &strings.Builder{}
	fmt.Fprint(table, "\n| Value | Default | |\n|---|---|---|\n")
	rows(table, "", document.Content[0])
	return []byte(before + begin + table.String() + "\n" + end + after), nil
}

// rows writes a row for each value below a mapping; one written on a single line is a value by itself.
func rows(table *strings.Builder, prefix string, mapping *yaml.Node) {
	for i := 0; i < len(mapping.Content); i += 2 {
		key, value := mapping.Content[i], mapping.Content[i+1]
		said := strings.ReplaceAll(strings.ReplaceAll(key.HeadComment, "# ", ""), "\n", " ")
		if i == 0 && prefix == "" { // the file's own head, a paragraph before
			said = said[strings.LastIndex(said, "\n\n")+1:]
		}
		name, group := prefix+key.Value, value.Kind == yaml.MappingNode && value.Style&yaml.FlowStyle == 0
		switch {
		case group && said == "":
		case group:
			fmt.Fprintf(table, "| **`%s`** | | %s |\n", name, cell(said))
		default:
			fmt.Fprintf(table, "| `%s` | `%s` | %s |\n", name, cell(inLine(value)), cell(said))
		}
		if group {
			rows(table, name+".", value)
		}
	}
}

func cell(text string) string {
	return strings.ReplaceAll(strings.NewReplacer("<", "&lt;", "\n", " ").Replace(text), "|", `\|`)
}

// inLine is a value as it would be written on one line.
func inLine(value *yaml.Node) string {
	if value.Kind == yaml.ScalarNode {
		if value.Value == "" {
			return `""`
		}
		return value.Value
	}
	var v any
	if err := value.Decode(&v); err != nil {
		return err.Error() // it was parsed already
	}
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
