// Generate writes what is made of the chart: the manifests in deploy/manifests, the table of values in its README and the
// names of settings in its schema. Run it in helm/; make manifests does.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/stoacommerce/stoa/helm"
)

func main() {
	if err := write(".."); err != nil {
		fmt.Fprintln(os.Stderr, "manifests:", err)
		os.Exit(1)
	}
}

func write(root string) error {
	files, err := helm.Written(root)
	if err != nil {
		return err
	}
	there, err := helm.Rendered(root)
	if err != nil {
		return err
	}
	for _, path := range there {
		if files[path] == nil {
			if err := os.Remove(filepath.Join(root, path)); err != nil {
				return err
			}
		}
	}
	for path, content := range files {
		full := filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(full, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}
