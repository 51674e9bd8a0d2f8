// Package alerts holds the recording and alert rules for Prometheus. The YAML beside
// this file is their source, but for objectives.yaml, which is generated from a table; the
// package hands the rules to tests and tools.
package alerts

import "embed"

// Files are the rule files, by name.
//
//go:embed objectives.yaml rules.yaml servers.yaml keeping.yaml business.yaml
var Files embed.FS

// ObjectivesFile is the generated rule file.
const ObjectivesFile = "objectives.yaml"

// Names are those of the rule files in Files.
var Names = []string{ObjectivesFile, "rules.yaml", "servers.yaml", "keeping.yaml", "business.yaml"}
