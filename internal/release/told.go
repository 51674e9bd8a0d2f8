package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"runtime"
	"strings"
)

const (
	project = "https://github.com/stoacommerce/stoa"
	byHand  = project + "/blob/main/docs/pipeline.md#by-hand"
)

// A subject is a file, or an image, that a statement is about.
type subject struct {
	Name   string            `json:"name"`
	Digest map[string]string `json:"digest"`
}

// statementOf is an in-toto statement with SLSA's provenance, version 1: from which commit,
// by which Go and by whom the subjects were made. It bears no signature; whoever publishes
// signs it.
func statementOf(s source, builder string, subjects []subject) (string, error) {
	if len(subjects) == 0 {
		return "", fmt.Errorf("provenance: of nothing")
	}
	type object = map[string]any
	text, err := json.MarshalIndent(object{
		"_type":         "https://in-toto.io/Statement/v1",
		"subject":       subjects,
		"predicateType": "https://slsa.dev/provenance/v1",
		"predicate": object{
			"buildDefinition": object{
				"buildType":            project + "/blob/main/docs/pipeline.md#release",
				"externalParameters":   object{"source": "git+" + project, "version": s.version},
				"internalParameters":   object{"go": runtime.Version()},
				"resolvedDependencies": []object{{"uri": "git+" + project, "digest": object{"gitCommit": s.commit}}},
			},
			"runDetails": object{"builder": object{"id": builder}},
		},
	}, "", "  ")
	return string(text) + "\n", err
}

// tagged is the name of a version that is released, as against one on the way to it.
var tagged = regexp.MustCompile(`^v(\d+\.\d+\.\d+(-[0-9a-z.]+)?)$`)

// changesOf cuts the part of a version from the changelog: of a released version its own,
// which must be there; of all others what is not released.
func changesOf(changelog, version string) (string, error) {
	title := "Unreleased"
	if m := tagged.FindStringSubmatch(version); m != nil && m[2] != "-dirty" {
		title = m[1]
	}
	var part []string
	within := false
	for line := range strings.Lines(changelog) {
		if heading, ok := strings.CutPrefix(line, "## "); ok {
			name, _, _ := strings.Cut(strings.TrimSpace(heading), " ")
			within = name == title
			continue
		}
		if within {
			part = append(part, line)
		}
	}
	text := strings.TrimSpace(strings.Join(part, ""))
	if text == "" {
		return "", fmt.Errorf("CHANGELOG.md has nothing under %q: write there what changed, then release", "## "+title)
	}
	return text + "\n", nil
}
