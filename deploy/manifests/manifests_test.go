// Package manifests_test holds the rendered manifests against the program that they start.
package manifests_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/app"
	"github.com/stoacommerce/stoa/platform/secrets"
)

var (
	environment = regexp.MustCompile(`(?m)^ +- name: (STOA_\w+)\n +value: "(.*)"$`)
	container   = regexp.MustCompile(`(?m)^ +args: \[(\w+)\]$`)
)

// TestTheProgramTakesItsSettings reads the settings of each process as the program does, for production, with secrets of
// their form in place of the operator's.
func TestTheProgramTakesItsSettings(t *testing.T) {
	key, err := secrets.NewKey("first")
	if err != nil {
		t.Fatal(err)
	}
	contents := map[string]string{
		"STOA_SECRET_KEYS": key.Reveal(), "STOA_DATABASE_URL": "postgres://stoa:own@db.example:5432/stoa?sslmode=require",
		"STOA_CELLS": "main=postgres://stoa:own@db.example:5432/stoa", "STOA_REDIS_URL": "rediss://:own@cache.example:6379/0",
		"STOA_FILES_URL": "s3://key:own@s3.example/bucket", "STOA_SMTP_URL": "smtps://user:own@mail.example:465",
	}
	dir, processes := t.TempDir(), map[string]bool{}
	for name, content := range contents {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"api.yaml", "worker.yaml", "migrate.yaml", "nginx.yaml"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		begins := container.FindAllStringSubmatchIndex(string(text), -1)
		if len(begins) != 1 {
			t.Fatalf("%s starts %d processes", file, len(begins))
		}
		processes[string(text[begins[0][2]:begins[0][3]])] = true
		var environ []string
		for _, pair := range environment.FindAllStringSubmatch(string(text[begins[0][0]:]), -1) {
			environ = append(environ, pair[1]+"="+strings.Replace(pair[2], "/run/secrets/stoa", dir, 1))
		}
		if len(environ) < 10 {
			t.Fatalf("%s has %d settings only", file, len(environ))
		}
		config, err := app.LoadConfig(environ, nil)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if config.Env != app.Production || config.Database.URL.Reveal() != contents["STOA_DATABASE_URL"] || len(config.Warnings) > 0 {
			t.Errorf("%s: %s, %v", file, config.Env, config.Warnings)
		}
		if kept := config.Files.URL.Empty(); kept != (file == "migrate.yaml" || file == "nginx.yaml") {
			t.Errorf("%s: whether it has nothing to do with files: %v", file, kept)
		}
	}
	for _, command := range []string{"serve", "work", "migrate", "certificates"} {
		if !processes[command] {
			t.Errorf("nothing starts stoa %s", command)
		}
	}
}
