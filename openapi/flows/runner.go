package flows

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/stoacommerce/stoa/openapi/probe"
)

// Runner runs workflows. Document and Probe must be set.
type Runner struct {
	Document *Document
	Probe    *probe.Probe

	// FromMail finds a parameter of a link in the latest mail to an address, waiting for
	// the mail to arrive; without it no workflow can be run that needs one.
	FromMail func(ctx context.Context, to, parameter string) (string, error)
	// Told is told of each step that succeeded; may be nil.
	Told func(step *Step, answer *probe.Answer)
	// Tries has each write that can be tried be tried first, as a dry run, which has to be
	// answered with the status that the write itself is answered with.
	Tries bool
	// Timeout bounds one request; 30 s when zero.
	Timeout time.Duration
	// Header is sent with each request; may be nil.
	Header http.Header
}

// run is one run of a workflow with those that it goes by: they share the cookies.
type run struct {
	*Runner
	client *http.Client
}

// Run runs a workflow with its inputs, and gives its outputs. Its error names the step
// that failed, and how.
func (r *Runner) Run(ctx context.Context, workflow string, inputs map[string]any) (map[string]any, error) {
	timeout := r.Timeout
	if timeout == 0 {
		timeout = 30 * time.Second
	}
	flow := r.Document.Workflow(workflow)
	if flow == nil {
		return nil, fmt.Errorf("there is no workflow %s", workflow)
	}
	one := &run{r, probe.NewClient(timeout)}
	defer one.client.CloseIdleConnections()
	return one.workflow(ctx, flow, inputs)
}

func (r *run) workflow(ctx context.Context, flow *Workflow, inputs map[string]any) (map[string]any, error) {
	s := &scope{steps: map[string]map[string]any{}}
	s.input = r.inputs(ctx, s, flow, maps.Clone(inputs))
	for _, name := range flow.Inputs.Required {
		if _, given := inputs[name]; !given && flow.Inputs.Properties[name].FromMail == nil {
			return nil, fmt.Errorf("%s needs the input %s", flow.ID, name)
		}
	}
	for i := range flow.Steps {
		step := &flow.Steps[i]
		outputs, err := r.step(ctx, s, step)
		if err != nil {
			return nil, fmt.Errorf("%s.%s: %w", flow.ID, step.ID, err)
		}
		s.steps[step.ID] = outputs
	}
	outputs, err := s.all(flow.Outputs)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flow.ID, err)
	}
	return outputs, nil
}

// inputs looks inputs up, and reads those that come by mail when they are first needed.
func (r *run) inputs(ctx context.Context, s *scope, flow *Workflow, given map[string]any) func(string) (any, error) {
	if given == nil {
		given = map[string]any{}
	}
	return func(name string) (any, error) {
		if v, ok := given[name]; ok {
			return v, nil
		}
		from := flow.Inputs.Properties[name].FromMail
		if from == nil || r.FromMail == nil {
			return nil, fmt.Errorf("the input %s is not given", name)
		}
		to, err := s.resolve(from.To)
		if err != nil {
			return nil, err
		}
		found, err := r.FromMail(ctx, asText(to), from.Parameter)
		if err != nil {
			return nil, fmt.Errorf("the input %s: %w", name, err)
		}
		given[name] = found
		return found, nil
	}
}

// all evaluates a table of expressions.
func (s *scope) all(expressions map[string]string) (map[string]any, error) {
	values := map[string]any{}
	for name, expression := range expressions {
		var err error
		if values[name], err = s.evaluate(expression); err != nil {
			return nil, fmt.Errorf("output %s: %w", name, err)
		}
	}
	return values, nil
}

func (r *run) step(ctx context.Context, s *scope, step *Step) (map[string]any, error) {
	if step.Workflow != "" {
		return r.inner(ctx, s, step)
	}
	for tried := 0; ; tried++ {
		outputs, err := r.try(ctx, s, step)
		if err == nil {
			return outputs, nil
		}
		if len(step.OnFailure) == 0 || tried == step.OnFailure[0].RetryLimit {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%w (%w)", err, ctx.Err())
		case <-time.After(time.Duration(step.OnFailure[0].RetryAfter * float64(time.Second))):
		}
	}
}

// inner goes by another workflow.
func (r *run) inner(ctx context.Context, s *scope, step *Step) (map[string]any, error) {
	inputs := map[string]any{}
	for _, p := range step.Parameters {
		var err error
		if inputs[p.Name], err = s.resolve(p.Value); err != nil {
			return nil, err
		}
	}
	outputs, err := r.workflow(ctx, r.Document.Workflow(step.Workflow), inputs)
	if err != nil {
		return nil, err
	}
	after := &scope{input: s.input, steps: s.steps, outputs: outputs}
	return after.all(step.Outputs)
}

// try makes a step's call once and judges the answer.
func (r *run) try(ctx context.Context, s *scope, step *Step) (map[string]any, error) {
	call, err := s.call(step)
	if err != nil {
		return nil, err
	}
	dry, err := r.dry(ctx, step, call)
	if err != nil {
		return nil, err
	}
	answer, err := r.ask(ctx, call)
	if err != nil {
		return nil, err
	}
	if dry != nil && answer.Header.Get("Idempotent-Replayed") == "" && (dry.Status != answer.Status || dry.Broken != nil || dry.Status < 300 && dry.Header.Get("Dry-Run") != "true") {
		return nil, fmt.Errorf("a dry run was answered %d (%v), and the write %d: %.2000s", dry.Status, dry.Broken, answer.Status, dry.Body)
	}
	if answer.Broken != nil {
		return nil, answer.Broken
	}
	judged := &scope{input: s.input, steps: s.steps, answer: answer}
	for _, criterion := range step.Criteria {
		parsed, err := parseCondition(criterion.Condition)
		if err != nil {
			return nil, err
		}
		holds, seen, err := parsed.holds(judged)
		if err != nil {
			return nil, fmt.Errorf("%s cannot be told: %w: %d %.2000s", criterion.Condition, err, answer.Status, answer.Body)
		}
		if !holds {
			return nil, fmt.Errorf("%s does not hold (%s): %d %.2000s", criterion.Condition, seen, answer.Status, answer.Body)
		}
	}
	if r.Told != nil {
		r.Told(step, answer)
	}
	return judged.all(step.Outputs)
}

// dry tries a call that can be, unless it is one that is made again until it succeeds.
func (r *run) dry(ctx context.Context, step *Step, call probe.Call) (*probe.Answer, error) {
	op := r.Probe.Operation(call.Operation)
	if !r.Tries || op == nil || len(step.OnFailure) > 0 || op.Spec.Parameters.GetByInAndName("query", "dry_run") == nil {
		return nil, nil
	}
	call.Query, call.Header = maps.Clone(call.Query), call.Header.Clone()
	call.Query.Set("dry_run", "true")
	return r.ask(ctx, call)
}

// ask makes a call, and makes it again when the program says that it cannot answer for the
// moment, as it asks of every client.
func (r *run) ask(ctx context.Context, call probe.Call) (*probe.Answer, error) {
	maps.Copy(call.Header, r.Header)
	for tried := 0; ; tried++ {
		answer, err := r.Probe.Do(ctx, r.client, call)
		if err != nil || answer.Status != http.StatusServiceUnavailable || tried == 9 {
			return answer, err
		}
		seconds, err := strconv.Atoi(answer.Header.Get("Retry-After"))
		if err != nil {
			return answer, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(time.Duration(min(seconds, 5)) * time.Second):
		}
	}
}

// call is the call that a step makes.
func (s *scope) call(step *Step) (probe.Call, error) {
	call := probe.Call{Operation: step.Operation, Path: map[string]string{}, Query: url.Values{}, Header: http.Header{}}
	for _, p := range step.Parameters {
		v, err := s.resolve(p.Value)
		if err != nil {
			return call, fmt.Errorf("parameter %s: %w", p.Name, err)
		}
		switch p.In {
		case "path":
			call.Path[p.Name] = asText(v)
		case "query":
			call.Query.Set(p.Name, asText(v))
		case "header":
			call.Header.Set(p.Name, asText(v))
		}
	}
	if step.Body == nil {
		return call, nil
	}
	payload, err := s.resolve(step.Body.Payload)
	if err != nil {
		return call, fmt.Errorf("body: %w", err)
	}
	call.Body, err = encode(step.Body.ContentType, payload, call.Header)
	return call, err
}

// encode writes a body in its media type, which it sets in the header.
func encode(media string, payload any, header http.Header) ([]byte, error) {
	header.Set("Content-Type", media)
	switch {
	case strings.HasSuffix(media, "json"):
		return json.Marshal(payload)
	case media == "multipart/form-data":
		fields, ok := payload.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("a form is an object")
		}
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		for name, v := range fields {
			if err := field(form, name, v); err != nil {
				return nil, err
			}
		}
		header.Set("Content-Type", form.FormDataContentType())
		err := form.Close()
		return body.Bytes(), err
	}
	return []byte(asText(payload)), nil
}

// field writes a field of a form: bytes as a file.
func field(form *multipart.Writer, name string, v any) error {
	file, ok := v.([]byte)
	if !ok {
		return form.WriteField(name, asText(v))
	}
	part, err := form.CreateFormFile(name, name)
	if err != nil {
		return err
	}
	_, err = part.Write(file)
	return err
}
