package contract_test

import (
	"context"
	"testing"

	"github.com/stoacommerce/stoa/openapi/contract"
)

func TestTheContractIsValid(t *testing.T) {
	doc, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(context.Background()); err != nil {
		t.Fatal(err)
	}
}
