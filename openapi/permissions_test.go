package openapi

import (
	"slices"
	"testing"

	"github.com/stoacommerce/stoa/openapi/contract"
	"github.com/stoacommerce/stoa/platform/limits"
	"github.com/stoacommerce/stoa/tenants/access"
)

// TestPermissions holds the contract and the policy together: what an operation asks for
// is known, and what can be granted is what the contract says can be.
func TestPermissions(t *testing.T) {
	doc, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	operations, err := Operations(doc)
	if err != nil {
		t.Fatal(err)
	}
	for _, op := range operations {
		if !access.Known(op.Permission) {
			t.Errorf("%s asks for the permission %s, which nobody has", op.ID, op.Permission)
		}
	}
	var listed []string
	for _, value := range doc.Components.Schemas["Permission"].Value.Enum {
		listed = append(listed, value.(string))
	}
	granted := access.Scopes()
	slices.Sort(listed)
	slices.Sort(granted)
	if !slices.Equal(listed, granted) {
		t.Errorf("the contract lets be granted\n%v\nand the policy\n%v", listed, granted)
	}
}

// TestStrictLimitsAreCharged holds that what has a strict limit is not let through by an
// easier one. Nothing takes codes yet.
func TestStrictLimitsAreCharged(t *testing.T) {
	doc, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	operations, err := Operations(doc)
	if err != nil {
		t.Fatal(err)
	}
	charged := map[string][]string{}
	for _, op := range operations {
		charged[op.Limit] = append(charged[op.Limit], op.ID)
	}
	for class := range limits.StrictRules() {
		if len(charged[class]) == 0 && class != limits.Code {
			t.Errorf("no operation is of the class %s", class)
		}
	}
	for class, want := range map[string][]string{
		limits.Signup: {"signUp"}, limits.Reset: {"requestEmailChange", "requestEmailVerification", "requestPasswordReset"},
		limits.Forgot:  {"requestCustomerPasswordReset", "requestOrderLink", "requestStockAlert", "subscribe", "withdrawFromContract", "writeToShop"},
		limits.Mail:    {"sendTestMail"},
		limits.Payment: {"cancelOrder", "completeCart", "createOrderPayment", "createRefund", "payOrder", "refundReturn"},
	} {
		if !slices.Equal(charged[class], want) {
			t.Errorf("of the class %s are %v, want %v", class, charged[class], want)
		}
	}
}
