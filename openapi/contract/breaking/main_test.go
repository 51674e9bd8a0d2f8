package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/openapi/contract"
)

func TestTheSameContractBreaksNothing(t *testing.T) {
	changes, err := compare(contract.JSON, contract.JSON)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := report(changes, &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
}

func TestWhatBreaksClientsIsFound(t *testing.T) {
	for name, change := range map[string]struct{ old, new string }{
		"a path is gone":                   {`"/v1/permissions":`, `"/v1/permits":`},
		"a text of a request gets shorter": {`"maxLength": 65535`, `"maxLength": 100`},
	} {
		t.Run(name, func(t *testing.T) {
			after := bytes.ReplaceAll(contract.JSON, []byte(change.old), []byte(change.new))
			if bytes.Equal(after, contract.JSON) {
				t.Fatalf("the contract has no %s", change.old)
			}
			changes, err := compare(contract.JSON, after)
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			if err := report(changes, &out); !errors.Is(err, errBreaking) {
				t.Fatalf("got %v, want errBreaking\n%s", err, out.String())
			}
			if !strings.Contains(out.String(), "BREAKS") {
				t.Fatalf("nothing is said of what breaks:\n%s", out.String())
			}
		})
	}
}

func TestAnAdditionIsFine(t *testing.T) {
	// Seen from a contract without this path, the present one has gained it.
	before := bytes.ReplaceAll(contract.JSON, []byte(`"/v1/permissions":`), []byte(`"/v1/plans/old":`))
	changes, err := compare(before, contract.JSON)
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range changes {
		if !strings.Contains(change.GetPath(), "/v1/plans/old") {
			t.Errorf("an addition counts as a break: %s %s", change.GetId(), change.GetPath())
		}
	}
}
