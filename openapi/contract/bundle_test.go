package contract_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stoacommerce/stoa/openapi/contract"
)

// small is a contract of one operation in three files.
func small() fstest.MapFS {
	return fstest.MapFS{
		"openapi.yaml": {Data: []byte(`
openapi: 3.0.3
paths:
  /v1/things:
    $ref: "./paths/things.yaml#/~1v1~1things"
components:
  securitySchemes:
    key: {type: http, scheme: bearer}
`)},
		"paths/things.yaml": {Data: []byte(`
/v1/things:
  get:
    operationId: getThing
    responses:
      "200":
        description: A thing.
        content:
          application/json:
            schema: {$ref: "../schemas/things.yaml#/Thing"}
      "404": {$ref: "../responses.yaml#/NotFound"}
`)},
		"responses.yaml": {Data: []byte(`
NotFound:
  description: Nothing.
`)},
		"schemas/things.yaml": {Data: []byte(`
Thing:
  type: object
  required: [name, note]
  properties:
    name: {type: string}
    note: {type: string, nullable: true}
    part: {$ref: "#/Part"}
Part:
  type: object
  properties:
    of: {$ref: "./things.yaml#/Thing"}
ThingUpdate:
  type: object
  properties:
    note: {type: string, nullable: true}
`)},
	}
}

func bundled(t *testing.T, files fstest.MapFS) string {
	t.Helper()
	root, err := contract.Bundle(files)
	if err != nil {
		t.Fatal(err)
	}
	text, err := contract.EncodeJSON(root)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestBundlingTakesUpWhatIsReferredTo(t *testing.T) {
	text := bundled(t, small())
	for _, want := range []string{
		`"/v1/things": {`, `"$ref": "#/components/schemas/Thing"`, `"$ref": "#/components/schemas/Part"`,
		`"$ref": "#/components/responses/NotFound"`, `"securitySchemes": {`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the bundle has no %s:\n%s", want, text)
		}
	}
	if strings.Contains(text, "yaml") {
		t.Errorf("the bundle still refers to a file:\n%s", text)
	}
	if strings.Contains(text, "ThingUpdate") {
		t.Errorf("the bundle holds what nothing refers to:\n%s", text)
	}
}

func TestBundlingFailsWhereSomethingIsMissing(t *testing.T) {
	for name, change := range map[string]struct{ file, old, new, want string }{
		"a definition":         {"paths/things.yaml", "#/Thing\"", "#/Thong\"", "names nothing"},
		"a file":               {"paths/things.yaml", "../responses.yaml", "../answers.yaml", "answers.yaml"},
		"a path that is there": {"openapi.yaml", `$ref: "./paths/things.yaml#/~1v1~1things"`, "get: {}", "not a reference"},
		"a deep reference":     {"paths/things.yaml", "#/Thing\"", "#/Thing/properties/name\"", "does not name a definition"},
		"broken YAML":          {"schemas/things.yaml", "type: object", "type: [", "parse schemas/things.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			files := small()
			before := string(files[change.file].Data)
			files[change.file].Data = []byte(strings.Replace(before, change.old, change.new, 1))
			_, err := contract.Bundle(files)
			if err == nil || !strings.Contains(err.Error(), change.want) {
				t.Fatalf("got %v, want an error with %q", err, change.want)
			}
		})
	}
}

func TestBundlingRefusesTwoThingsOfOneName(t *testing.T) {
	files := small()
	files["schemas/others.yaml"] = &fstest.MapFile{Data: []byte("Thing: {type: string}\n")}
	files["responses.yaml"] = &fstest.MapFile{Data: []byte(`
NotFound:
  description: Nothing.
  content:
    application/json:
      schema: {$ref: "./schemas/others.yaml#/Thing"}
`)}
	_, err := contract.Bundle(files)
	if err == nil || !strings.Contains(err.Error(), "Thing stands in") {
		t.Fatalf("got %v, want an error that names both files", err)
	}
}

func TestModelsTellNullFromAbsenceOnlyInMergePatches(t *testing.T) {
	files := small()
	path := files["paths/things.yaml"]
	path.Data = append(path.Data, []byte(`
  patch:
    operationId: updateThing
    requestBody:
      content:
        application/json:
          schema: {$ref: "../schemas/things.yaml#/ThingUpdate"}
    responses:
      "404": {$ref: "../responses.yaml#/NotFound"}
`)...)
	root, err := contract.Bundle(files)
	if err != nil {
		t.Fatal(err)
	}
	contract.ForModels(root)
	text, err := contract.EncodeJSON(root)
	if err != nil {
		t.Fatal(err)
	}
	answer, patch, _ := strings.Cut(string(text), `"ThingUpdate"`)
	if strings.Contains(answer, "nullable") || !strings.Contains(answer, `"x-omitempty": false`) || strings.Contains(answer, `"note"`+"\n") {
		t.Errorf("in an answer, null is not written by a pointer:\n%s", answer)
	}
	if !strings.Contains(patch, `"nullable": true`) {
		t.Errorf("in a merge patch, null is lost:\n%s", patch)
	}
}
