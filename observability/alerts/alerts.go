// Package alerts holds the recording and alert rules for Prometheus. The YAML beside
// this file is their source; the package only hands it to tests and tools.
package alerts

import "embed"

// Files are the rule files, by name.
//
//go:embed recording.yaml rules.yaml
var Files embed.FS

// Names of the rule files in Files. The alerts build on what is recorded.
const (
	Recording = "recording.yaml"
	Rules     = "rules.yaml"
)
