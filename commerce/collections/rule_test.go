package collections_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/commerce/collections"
	"github.com/stoacommerce/stoa/platform/problem"
)

func TestWrongRulesAreTold(t *testing.T) {
	wrong := problem.New(problem.Unprocessable, "wrong", "Wrong.")
	(&collections.Rule{}).Check(wrong, "/none", "EUR")
	(&collections.Rule{Conditions: []collections.Condition{
		{Field: "colour", Operator: "equals", Value: "red"},
		{Field: "vendor", Operator: "greater_than", Value: "x"},
		{Field: "vendor", Operator: "is_set", Value: "x"},
		{Field: "vendor", Operator: "equals", Value: "x", Currency: "EUR"},
		{Field: "price", Operator: "equals", Value: "5", Currency: "XXQ"},
		{Field: "vendor", Operator: "equals", Value: "x", Key: "size"},
		{Field: "custom_field", Operator: "is_set"},
	}}).Check(wrong, "/rules", "EUR")
	var told []string
	for _, fault := range wrong.Faults {
		told = append(told, fault.Pointer)
	}
	var want []string
	for i, place := range strings.Fields("field operator value currency currency key key") {
		want = append(want, fmt.Sprintf("/rules/conditions/%d/%s", i, place))
	}
	if got, want := strings.Join(told, " "), "/none/conditions "+strings.Join(want, " "); got != want {
		t.Errorf("told are\n%s, want\n%s", got, want)
	}
}
