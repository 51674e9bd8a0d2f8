// Command bundle makes one document of the contract's files, as YAML and as JSON, and
// the Go models and the methods of a client from it. It runs from openapi/contract: go generate ./openapi/...
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/stoacommerce/stoa/openapi/contract"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bundle:", err)
		os.Exit(1)
	}
}

func run() error {
	root, err := contract.Bundle(os.DirFS("."))
	if err != nil {
		return err
	}
	asYAML, err := contract.EncodeYAML(root)
	if err != nil {
		return err
	}
	asJSON, err := contract.EncodeJSON(root)
	if err != nil {
		return err
	}
	if err := os.WriteFile("openapi.gen.yaml", asYAML, 0o644); err != nil {
		return fmt.Errorf("write the bundle: %w", err)
	}
	if err := os.WriteFile("openapi.gen.json", asJSON, 0o644); err != nil {
		return fmt.Errorf("write the bundle: %w", err)
	}
	contract.ForModels(root)
	forModels, err := contract.EncodeJSON(root)
	if err != nil {
		return err
	}
	if err := models(forModels); err != nil {
		return err
	}
	return writeClient(asJSON, "../gen/models.gen.go", "../client/operations.gen.go")
}

// models has oapi-codegen write the Go types of a document.
func models(document []byte) error {
	dir, err := os.MkdirTemp("", "stoa-contract-")
	if err != nil {
		return fmt.Errorf("make the models: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "openapi.json")
	if err := os.WriteFile(file, document, 0o600); err != nil {
		return fmt.Errorf("make the models: %w", err)
	}
	cmd := exec.Command("go", "tool", "oapi-codegen", "-config", "models.yaml", "-o", "../gen/models.gen.go", file)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("make the models: %w", err)
	}
	return nil
}
