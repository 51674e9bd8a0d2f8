package keeping_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/app/keeping"
	"github.com/stoacommerce/stoa/platform/backups"
)

// TestAWorkerLeavesOtherHostsTheirClusters has two stanzas, of which a worker's configuration
// has one. Its pgBackRest does nothing but fail, so that what it took up is seen.
func TestAWorkerLeavesOtherHostsTheirClusters(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	_, ref := h.stocked(t, 1)
	config := filepath.Join(h.folder, "pgbackrest.conf")
	if err := os.WriteFile(config, []byte("[global]\n[first]\npg1-path=/nowhere\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := h.config
	c.Stanzas = map[string]string{"control": "first", h.Cell: "second"}
	c.Repository = &backups.Repository{Config: config, Program: "false"}
	keeper := keeping.New(c)
	asked := map[string]string{}
	for name, ask := range map[string]func() (string, error){
		"full of first":  func() (string, error) { return keeper.Ask(t.Context(), keeping.Full, "first", nil, "test") },
		"full of second": func() (string, error) { return keeper.Ask(t.Context(), keeping.Full, "second", nil, "test") },
		"test of second": func() (string, error) { return keeper.Ask(t.Context(), keeping.RestoreTest, "second", nil, "test") },
		"store in second": func() (string, error) {
			return keeper.AskRestore(t.Context(), ref.ID, ref.Mode, keeping.RestoreArgs{At: time.Now().Add(-time.Minute)}, "test")
		},
		"store in nowhere": func() (string, error) {
			return keeper.AskRestore(t.Context(), "sto_gone", ref.Mode, keeping.RestoreArgs{At: time.Now().Add(-time.Minute)}, "test")
		},
		"archive of store": func() (string, error) { return keeper.Ask(t.Context(), keeping.Store, ref.ID+"/live", nil, "test") },
	} {
		id, err := ask()
		if err != nil {
			t.Fatal(err)
		}
		asked[name] = id
	}
	ctx, stop := context.WithCancel(t.Context())
	var working sync.WaitGroup
	working.Go(func() { keeper.Work(ctx) })
	state := func(name string) string {
		run, err := keeper.Get(t.Context(), asked[name])
		if err != nil {
			t.Fatal(err)
		}
		return run.State
	}
	for deadline := time.Now().Add(30 * time.Second); state("full of first") != "failed" || state("store in nowhere") != "failed" || state("archive of store") != "succeeded"; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("of its own it has %s, %s and %s", state("full of first"), state("store in nowhere"), state("archive of store"))
		}
	}
	time.Sleep(2500 * time.Millisecond) // it looks again
	stop()
	working.Wait()
	for _, name := range []string{"full of second", "test of second", "store in second"} {
		if got := state(name); got != "waiting" {
			t.Errorf("%s is %s", name, got)
		}
	}
	if reached, err := keeper.Reached(); err != nil || len(reached) != 1 || reached[0] != "first" {
		t.Errorf("reached are %q (%v)", reached, err)
	}
	c.Stanzas = map[string]string{"control": "other", h.Cell: "other"}
	if _, err := keeping.New(c).Reached(); err == nil || !strings.Contains(err.Error(), `"other"`) || !strings.Contains(err.Error(), config) {
		t.Errorf("a configuration without any of the stanzas: %v", err)
	}
}
