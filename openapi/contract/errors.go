package contract

import (
	_ "embed"
	"fmt"

	"go.yaml.in/yaml/v3"
)

//go:embed errors.yaml
var errorsYAML []byte

// ErrorCode is one of the stable codes that a problem may have.
type ErrorCode struct {
	Code    string `yaml:"code"`
	Status  int    `yaml:"status"`
	Meaning string `yaml:"meaning"` // Markdown: names stand in backquotes
}

// Errors lists every stable code, in the order in which they are documented.
func Errors() ([]ErrorCode, error) {
	var list []ErrorCode
	if err := yaml.Unmarshal(errorsYAML, &list); err != nil {
		return nil, fmt.Errorf("read the error codes: %w", err)
	}
	return list, nil
}
