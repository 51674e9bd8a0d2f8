package handlers_test

import (
	"testing"

	"github.com/stoacommerce/stoa/openapi/contract"
)

// checkEvents holds events against the schemas of their types and says which types there
// were.
func checkEvents(t *testing.T, events []map[string]any) map[string]bool {
	t.Helper()
	doc, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, event := range events {
		name, _ := event["type"].(string)
		seen[name] = true
		checked := false
		for _, ref := range doc.Components.Schemas {
			kind := ref.Value.Properties["type"]
			if kind == nil || len(kind.Value.Enum) != 1 || kind.Value.Enum[0] != name {
				continue
			}
			checked = true
			if err := ref.Value.VisitJSON(event); err != nil {
				t.Errorf("event %s: %v", name, err)
			}
		}
		if !checked {
			t.Errorf("the contract has no schema for %s", name)
		}
	}
	return seen
}
