package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/app/apptest"
	"github.com/stoacommerce/stoa/openapi/flows"
)

// guideBlock is a block of a guide: what is typed, or what is answered.
var guideBlock = regexp.MustCompile("(?s)```(sh|json)\n(.*?)```")

// guideShell is what a guide's blocks run in. A request that is refused ends the guide,
// unless the guide shows its answer.
const guideShell = `set -euo pipefail
curl() { command curl -sS ${FAIL:-} "$@"; }
`

// TestGuides types every request of every guide, in a store of its own, and compares what
// is answered with what the guide shows.
func TestGuides(t *testing.T) {
	guides, err := filepath.Glob("../docs/guides/*.md")
	if err != nil || len(guides) == 0 {
		t.Fatalf("no guides (%v)", err)
	}
	doc, err := flows.Parse(flowsFile(t))
	if err != nil {
		t.Fatal(err)
	}
	p := apptest.Start(t, nil)
	for _, guide := range guides {
		t.Run(strings.TrimSuffix(filepath.Base(guide), ".md"), func(t *testing.T) {
			text, err := os.ReadFile(guide)
			if err != nil {
				t.Fatal(err)
			}
			// Who opens so many stores from one address is asked to wait.
			runner := &flows.Runner{Document: doc, Probe: p.Probe, FromMail: p.MailParameter, Header: http.Header{"X-Forwarded-For": {anywhere()}}}
			store, err := runner.Run(t.Context(), "openStore", map[string]any{"run": run(), "password": "seven purple lanterns at dusk"})
			if err != nil {
				t.Fatal(err)
			}
			folder := t.TempDir()
			if err := os.WriteFile(filepath.Join(folder, "photo.png"), picture(t), 0o600); err != nil {
				t.Fatal(err)
			}
			command := exec.Command("bash")
			command.Dir = folder
			command.Env = append(os.Environ(), "STOA="+p.URL, fmt.Sprint("SECRET_KEY=", store["secret_key"]), fmt.Sprint("PUBLISHABLE_KEY=", store["publishable_key"]), fmt.Sprint("LIVE_SECRET_KEY=", store["live_secret_key"]))
			typeGuide(t, command, guideBlock.FindAllSubmatch(text, -1))
		})
	}
}

// typeGuide runs the blocks of a guide one after the other, each with its output in a file.
func typeGuide(t *testing.T, command *exec.Cmd, blocks [][][]byte) {
	t.Helper()
	script := bytes.NewBufferString(guideShell)
	for i, block := range blocks {
		if string(block[1]) == "json" {
			continue
		}
		fails := "--fail-with-body"
		if i+1 < len(blocks) && string(blocks[i+1][1]) == "json" {
			fails = ""
		}
		fmt.Fprintf(script, "FAIL=%s\n{\n%s\n} >answer-%d\n", fails, block[2], i)
	}
	command.Stdin = script
	out, err := command.CombinedOutput()
	for i, block := range blocks {
		answer, missing := os.ReadFile(filepath.Join(command.Dir, fmt.Sprintf("answer-%d", i-1)))
		switch {
		case string(block[1]) != "json":
			if i > 0 && err != nil && missing == nil {
				t.Logf("%s\n%s", blocks[i-1][2], answer)
			}
		case missing != nil:
			t.Errorf("nothing was answered where the guide shows %s", block[2])
		default:
			var shown, given any
			if err := json.Unmarshal(block[2], &shown); err != nil {
				t.Fatalf("%v: %s", err, block[2])
			}
			if err := json.Unmarshal(answer, &given); err != nil || !shows(given, shown) {
				t.Errorf("what is answered:\n%s\nwhat the guide shows:\n%s", answer, block[2])
			}
		}
	}
	if err != nil {
		last, _ := filepath.Glob(filepath.Join(command.Dir, "answer-*"))
		t.Fatalf("%v\n%s\n%d blocks were typed", err, out, len(last))
	}
}

// shows says whether an answer holds what is shown of it: "…" stands for anything, and of
// objects some properties are enough.
func shows(given, shown any) bool {
	switch shown := shown.(type) {
	case map[string]any:
		object, ok := given.(map[string]any)
		for name, value := range shown {
			ok = ok && shows(object[name], value)
		}
		return ok
	case []any:
		list, ok := given.([]any)
		ok = ok && len(list) == len(shown)
		for i := range shown {
			ok = ok && shows(list[i], shown[i])
		}
		return ok
	default:
		return shown == "…" || given == shown
	}
}
