package apptest

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stoacommerce/stoa/openapi/flows"
	"github.com/stoacommerce/stoa/platform/ids"
)

// Sell goes from sign-up to a paid order, by the contract's own flow. top leads to the top of
// the repository.
func (p *Program) Sell(t testing.TB, top string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(top, "openapi/flows.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := flows.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	runner := &flows.Runner{Document: doc, Probe: p.Probe, FromMail: p.MailParameter, Header: http.Header{"X-Forwarded-For": {"192.0.2.7"}}}
	before := Query[int](p, `select count(*) from stores`)[0]
	id := ids.New("run")
	if _, err := runner.Run(t.Context(), "signUpToPaidOrder", map[string]any{"run": id[len(id)-10:], "password": "seven purple lanterns at dusk"}); err != nil {
		t.Fatal(fmt.Errorf("from sign-up to a paid order: %w", err))
	}
	// The platform's own tables know of the store, each side of it a schema of its cell.
	if after := Query[int](p, `select count(*) from stores`)[0]; after <= before {
		t.Errorf("there were %d stores before one was opened, and %d after", before, after)
	}
}
