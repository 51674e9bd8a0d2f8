package flows_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/stoacommerce/stoa/openapi/flows"
	"github.com/stoacommerce/stoa/openapi/probe"
)

// small is a contract of three operations.
const small = `
openapi: 3.0.3
info: {title: Small, version: "1"}
paths:
  /things:
    post:
      operationId: makeThing
      requestBody: {content: {application/json: {schema: {type: object}}}}
      responses:
        "201":
          description: Made.
          content: {application/json: {schema: {type: object, required: [id], properties: {id: {type: string}, sizes: {type: array, items: {type: integer}}}}}}
  /things/{thing_id}:
    get:
      operationId: getThing
      parameters:
        - {name: thing_id, in: path, required: true, schema: {type: string}}
        - {name: page, in: query, schema: {type: integer}}
      responses:
        "200":
          description: It.
          content: {application/json: {schema: {type: object, required: [id, state], properties: {id: {type: string}, state: {type: string}}}}}
        "404":
          description: None.
          content: {application/problem+json: {schema: {type: object}}}
  /files:
    post:
      operationId: upload
      requestBody: {content: {multipart/form-data: {schema: {type: object}}, text/csv: {schema: {type: string}}}}
      responses:
        "204": {description: Done.}
`

const workflows = `
arazzo: 1.0.1
workflows:
  - workflowId: make
    inputs:
      type: object
      required: [run, code]
      properties:
        run: {type: string}
        code: {type: string, x-from-mail: {to: "{$inputs.run}@example.com", parameter: token}}
    steps:
      - stepId: made
        operationId: makeThing
        parameters:
          - {name: X-Run, in: header, value: "run {$inputs.run}"}
        requestBody:
          contentType: application/json
          payload: {name: "Thing {$inputs.run}", code: $inputs.code, tags: [a, "{$inputs.run}"], size: 3}
        successCriteria:
          - condition: $statusCode == 201
          - condition: $response.body#/sizes/1 >= 2 && $response.header.X-Kind == 'GOOD'
          - condition: $response.body#/id == 'other' || $response.header.X-None == null
        outputs:
          id: $response.body#/id
          sizes: $response.body#/sizes
    outputs:
      id: $steps.made.outputs.id
  - workflowId: whole
    inputs:
      type: object
      required: [run]
      properties:
        run: {type: string}
        picture: {type: string, format: binary}
    steps:
      - stepId: first
        workflowId: make
        parameters:
          - {name: run, value: $inputs.run}
        outputs:
          id: $outputs.id
      - stepId: wait
        operationId: getThing
        parameters:
          - {name: thing_id, in: path, value: $steps.first.outputs.id}
          - {name: page, in: query, value: 1}
        successCriteria:
          - condition: $response.body#/state == 'ready'
        onFailure:
          - {name: again, type: retry, retryAfter: 0.01, retryLimit: 3}
      - stepId: picture
        operationId: upload
        requestBody:
          contentType: multipart/form-data
          payload: {file: $inputs.picture, note: "of {$steps.first.outputs.id}"}
        successCriteria:
          - condition: $statusCode != 200
      - stepId: table
        operationId: upload
        requestBody: {contentType: text/csv, payload: "a,b"}
        successCriteria:
          - condition: $statusCode < 300
    outputs:
      id: $steps.first.outputs.id
`

// program is what the workflows are run against.
type program struct {
	*httptest.Server
	asked   atomic.Int64 // how often the thing was asked for
	readyAt int64        // at which it is ready
	got     map[string]any
	form    map[string]string
	broken  bool
}

func start(t *testing.T, readyAt int64) *program {
	t.Helper()
	p := &program{readyAt: readyAt, form: map[string]string{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /things", func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewDecoder(r.Body).Decode(&p.got)
		http.SetCookie(w, &http.Cookie{Name: "__Host-s", Value: "1", Path: "/", Secure: true})
		w.Header().Set("X-Kind", "good")
		if p.broken {
			answer(w, 201, `{"id": 1}`)
			return
		}
		answer(w, 201, `{"id": "t/1", "sizes": [1, 2]}`)
	})
	mux.HandleFunc("GET /things/{id}", func(w http.ResponseWriter, r *http.Request) {
		cookie, err := r.Cookie("__Host-s")
		if r.PathValue("id") != "t/1" || r.FormValue("page") != "1" || err != nil || cookie.Value != "1" {
			answer(w, 404, `{}`)
			return
		}
		state := "made"
		if p.asked.Add(1) >= p.readyAt {
			state = "ready"
		}
		answer(w, 200, fmt.Sprintf(`{"id": "t/1", "state": %q}`, state))
	})
	mux.HandleFunc("POST /files", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Content-Type") == "text/csv" {
			text, _ := io.ReadAll(r.Body)
			p.form["table"] = string(text)
		} else if file, _, err := r.FormFile("file"); err == nil {
			bytes, _ := io.ReadAll(file)
			p.form["file"], p.form["note"] = string(bytes), r.FormValue("note")
		}
		answer(w, 204, "")
	})
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

func answer(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Request-Id", "req_1")
	if body != "" {
		w.Header().Set("Content-Type", "application/json")
		if status >= 400 {
			w.Header().Set("Content-Type", "application/problem+json")
		}
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

func runner(t *testing.T, p *program) *flows.Runner {
	t.Helper()
	contract, err := openapi3.NewLoader().LoadFromData([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := flows.Parse([]byte(workflows))
	if err != nil {
		t.Fatal(err)
	}
	return &flows.Runner{
		Document: doc, Probe: probe.New(contract, p.URL),
		FromMail: func(_ context.Context, to, parameter string) (string, error) { return to + "?" + parameter, nil },
	}
}

func TestAWorkflowRuns(t *testing.T) {
	p := start(t, 3)
	r := runner(t, p)
	var told []string
	r.Told = func(step *flows.Step, _ *probe.Answer) { told = append(told, step.ID) }
	outputs, err := r.Run(t.Context(), "whole", map[string]any{"run": "7", "picture": []byte("\x89PNG")})
	if err != nil || fmt.Sprint(outputs) != "map[id:t/1]" {
		t.Fatal(outputs, err)
	}
	if got := fmt.Sprint(p.got); got != "map[code:7@example.com?token name:Thing 7 size:3 tags:[a 7]]" {
		t.Errorf("sent %s", got)
	}
	if got := fmt.Sprint(p.form); got != "map[file:\x89PNG note:of t/1 table:a,b]" {
		t.Errorf("sent %q", got)
	}
	if got := fmt.Sprint(told); got != "[made wait picture table]" || p.asked.Load() != 3 {
		t.Errorf("steps %s, asked %d times", got, p.asked.Load())
	}
}

func TestAWorkflowFails(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*flows.Runner, *program)
		flow   string
		inputs map[string]any
		want   string
	}{
		"never ready":    {flow: "whole", inputs: map[string]any{"run": "7", "picture": []byte{}}, want: "whole.wait: $response.body#/state == 'ready' does not hold (made == ready)"},
		"no such flow":   {flow: "none", want: "there is no workflow none"},
		"input missing":  {flow: "make", want: "make needs the input run"},
		"no picture":     {flow: "whole", inputs: map[string]any{"run": "7"}, change: func(_ *flows.Runner, p *program) { p.readyAt = 1 }, want: "the input picture is not given"},
		"no mail":        {flow: "make", inputs: map[string]any{"run": "7"}, change: func(r *flows.Runner, _ *program) { r.FromMail = failing }, want: "the input code: no mail came"},
		"breaks its own": {flow: "make", inputs: map[string]any{"run": "7"}, change: func(_ *flows.Runner, p *program) { p.broken = true }, want: "makeThing answered 201 other than the contract says"},
		"not running":    {flow: "make", inputs: map[string]any{"run": "7"}, change: func(_ *flows.Runner, p *program) { p.Close() }, want: "connection refused"},
	} {
		t.Run(name, func(t *testing.T) {
			p := start(t, 5)
			r := runner(t, p)
			if c.change != nil {
				c.change(r, p)
			}
			if _, err := r.Run(t.Context(), c.flow, c.inputs); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}

func failing(context.Context, string, string) (string, error) { return "", errors.New("no mail came") }

func TestParseNamesWhatCannotBeRun(t *testing.T) {
	_, err := flows.Parse([]byte(`
workflows:
  - workflowId: a
    inputs: {required: [x]}
    steps:
      - {stepId: one, operationId: b, workflowId: c}
      - {stepId: one, workflowId: later}
      - stepId: two
        operationId: b
        parameters: [{name: p, in: body, value: 1}]
        successCriteria: [{condition: "$statusCode"}, {condition: "$statusCode == OK"}]
        onFailure: [{name: g, type: goto}]
  - workflowId: a
    steps: []
`))
	if err == nil {
		t.Fatal("it parsed")
	}
	for _, want := range []string{
		"a: the input x is not declared", "a step is an operation or a workflow", "a.one: a step needs a name of its own", "no workflow later stands before",
		`the parameter p cannot be in "body"`, `"$statusCode" is no comparison`, "OK is no value", "g can only be a retry", "two workflows of this name", "has no name or no steps",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in:\n%v", want, err)
		}
	}
	if _, err := flows.Parse([]byte("workflows:\n  - workflowId: a\n    dependsOn: [b]\n")); err == nil || !strings.Contains(err.Error(), "dependsOn") {
		t.Errorf("%v", err)
	}
}

func TestOurOwnDocumentParses(t *testing.T) {
	text, err := os.ReadFile("../flows.yaml")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := flows.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if doc.Workflow("signUpToPaidOrder") == nil || doc.Workflow("none") != nil {
		t.Error("workflows are not found by their names")
	}
}
