package admin_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/openapi/contract"
	"github.com/stoacommerce/stoa/platform/mail"
)

// action is what an entry of the audit is called in the program's text.
var action = regexp.MustCompile(`Action: "([a-z_]+)\.([a-z_]+)"`)

// TestWhatHappenedHasWords holds that the history has words for whatever the audit tells of.
func TestWhatHappenedHasWords(t *testing.T) {
	t.Parallel()
	words, err := os.ReadFile("src/rooms/audit/words.ts")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, name := range regexp.MustCompile(`\b([a-z_]+): '`).FindAllStringSubmatch(string(words), -1) {
		known[name[1]] = true
	}
	found := 0
	for _, room := range []string{"billing", "commerce", "openapi", "tenants", "webhooks"} {
		err := filepath.WalkDir(filepath.Join("../..", room), func(path string, d fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			for _, match := range action.FindAllStringSubmatch(string(text), -1) {
				found++
				if !known[match[1]] || !known[match[2]] {
					t.Errorf("the history has no words for %s.%s, of %s", match[1], match[2], path)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if found < 100 {
		t.Errorf("only %d actions were found", found)
	}
}

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

// TestErasedPlacesHaveWords holds that the screen of erasures has words for each place that a
// person is erased from, and in German for each reason why something is kept.
func TestErasedPlacesHaveWords(t *testing.T) {
	t.Parallel()
	words, err := os.ReadFile("src/rooms/erasures/words.ts")
	if err != nil {
		t.Fatal(err)
	}
	places, err := os.ReadFile("../../commerce/privacy/places.go")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`\n\t\ttable: "([a-z_]+)"`).FindAllStringSubmatch(string(places), -1)
	for _, place := range found {
		if strings.Count(string(words), " "+place[1]+": '") < 2 {
			t.Errorf("the place %s has no words in each language", place[1])
		}
	}
	reasons := regexp.MustCompile(`(?:keeps: |tax    = |ledger = )"([^"]+)"`).FindAllStringSubmatch(string(places), -1)
	for _, reason := range reasons {
		if !strings.Contains(string(words), reason[1]) {
			t.Errorf("the reason %q has no German text", reason[1])
		}
	}
	if len(found) < 20 || len(reasons) < 5 {
		t.Errorf("only %d places and %d reasons were found", len(found), len(reasons))
	}
}
