package admin_test

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/openapi/contract"
	"github.com/stoacommerce/stoa/platform/mail"
)

// TestProblemsAndVariablesInGerman holds that whatever the API says by itself on a screen has a
// German text: problems by their codes, and the variables of mails.
func TestProblemsAndVariablesInGerman(t *testing.T) {
	t.Parallel()
	read := func(file string) string {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	codes, err := contract.Errors()
	if err != nil {
		t.Fatal(err)
	}
	problems := read("src/words/problems.de.ts")
	for _, e := range codes {
		if !strings.Contains(problems, "\n  "+e.Code+": '") {
			t.Errorf("the problem %s has no German text", e.Code)
		}
	}
	meanings := read("src/rooms/mails/meanings.de.ts")
	for _, kind := range mail.OfStores() {
		for _, v := range mail.Variables(kind, "en") {
			named := []string{v.Meaning}
			for _, item := range v.Items {
				named = append(named, item.Meaning)
			}
			for _, meaning := range named {
				if !strings.Contains(meanings, "\n  '"+meaning+"': '") && !strings.Contains(meanings, "\n  "+strconv.Quote(meaning)+": '") {
					t.Errorf("the variable %s of %s has no German meaning: %s", v.Name, kind, meaning)
				}
			}
		}
	}
}
