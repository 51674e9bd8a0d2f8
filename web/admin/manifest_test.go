package admin

import (
	"encoding/json"
	"io/fs"
	"maps"
	"slices"
)

// manifest is what Vite tells of the files that it has built, by the sources that they are of.
type manifest map[string]struct {
	File    string   `json:"file"`
	CSS     []string `json:"css"`
	Imports []string `json:"imports"`
}

func manifestOf(files fs.FS) (m manifest, err error) {
	text, err := fs.ReadFile(files, ".vite/manifest.json")
	if err != nil {
		return nil, err
	}
	return m, json.Unmarshal(text, &m)
}

func (m manifest) all() []string { return slices.Collect(maps.Keys(m)) }

// needed are the files without which these sources do not run.
func (m manifest) needed(sources ...string) map[string]bool {
	needed, seen := map[string]bool{}, map[string]bool{}
	for ; len(sources) > 0; sources = sources[1:] {
		source := sources[0]
		if seen[source] {
			continue
		}
		seen[source] = true
		chunk := m[source]
		for _, file := range append([]string{chunk.File}, chunk.CSS...) {
			needed[file] = true
		}
		sources = append(sources, chunk.Imports...)
	}
	return needed
}
