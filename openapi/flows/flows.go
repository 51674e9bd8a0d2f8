// Package flows runs the workflows of openapi/flows.yaml, written in the Arazzo format
// (1.0), against a running program: the ways that matter, told as steps over the
// contract's operations. Every answer on the way is held against the contract.
//
// What Arazzo leaves open is settled as flows.yaml says: cookies are kept from step to
// step, and an input whose schema has x-from-mail is read from a mail when it is first
// needed. Of the format it knows what flows.yaml uses; anything else does not parse.
package flows

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"
)

// Document is a document of workflows.
type Document struct {
	Arazzo    string     `yaml:"arazzo"`
	Info      yaml.Node  `yaml:"info"`
	Sources   yaml.Node  `yaml:"sourceDescriptions"`
	Workflows []Workflow `yaml:"workflows"`
}

// Workflow is one way through the contract.
type Workflow struct {
	ID          string            `yaml:"workflowId"`
	Summary     string            `yaml:"summary"`
	Description string            `yaml:"description"`
	Inputs      Inputs            `yaml:"inputs"`
	Steps       []Step            `yaml:"steps"`
	Outputs     map[string]string `yaml:"outputs"`
}

// Inputs say what a workflow has to be given.
type Inputs struct {
	Type       string           `yaml:"type"`
	Required   []string         `yaml:"required"`
	Properties map[string]Input `yaml:"properties"`
}

// Input is one of them.
type Input struct {
	Type        string `yaml:"type"`
	Format      string `yaml:"format"`
	Description string `yaml:"description"`
	FromMail    *Mail  `yaml:"x-from-mail"`
}

// Mail says where in a mail an input stands: as a parameter of a link in the latest mail
// to an address.
type Mail struct {
	To        string `yaml:"to"`
	Parameter string `yaml:"parameter"`
}

// Step is a call of an operation, or of another workflow.
type Step struct {
	ID          string            `yaml:"stepId"`
	Description string            `yaml:"description"`
	Operation   string            `yaml:"operationId"`
	Workflow    string            `yaml:"workflowId"`
	Parameters  []Parameter       `yaml:"parameters"`
	Body        *Body             `yaml:"requestBody"`
	Criteria    []Criterion       `yaml:"successCriteria"`
	Outputs     map[string]string `yaml:"outputs"`
	OnFailure   []OnFailure       `yaml:"onFailure"`
}

// Parameter is a parameter of an operation, or, without In, an input of a workflow.
type Parameter struct {
	Name  string `yaml:"name"`
	In    string `yaml:"in"`
	Value any    `yaml:"value"`
}

// Body is what a step sends.
type Body struct {
	ContentType string `yaml:"contentType"`
	Payload     any    `yaml:"payload"`
}

// Criterion has to hold for a step to have succeeded.
type Criterion struct {
	Condition string `yaml:"condition"`
}

// OnFailure is what is done when one does not. There is only "retry".
type OnFailure struct {
	Name       string  `yaml:"name"`
	Type       string  `yaml:"type"`
	RetryAfter float64 `yaml:"retryAfter"` // seconds
	RetryLimit int     `yaml:"retryLimit"`
}

// Parse reads a document and names everything in it that cannot be run.
func Parse(text []byte) (*Document, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	var doc Document
	if err := decoder.Decode(&doc); err != nil {
		return nil, fmt.Errorf("read the workflows: %w", err)
	}
	var wrong []error
	known := map[string]Workflow{}
	for _, flow := range doc.Workflows {
		if _, twice := known[flow.ID]; twice {
			wrong = append(wrong, fmt.Errorf("%s: there are two workflows of this name", flow.ID))
		}
		wrong = append(wrong, flow.check(known)...)
		known[flow.ID] = flow
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, fmt.Errorf("read the workflows: %w", err)
	}
	return &doc, nil
}

// check names what is wrong with a workflow; known are those that stand before it.
func (w *Workflow) check(known map[string]Workflow) (wrong []error) {
	if w.ID == "" || len(w.Steps) == 0 {
		wrong = append(wrong, fmt.Errorf("workflow %q has no name or no steps", w.ID))
	}
	for _, name := range w.Inputs.Required {
		if _, declared := w.Inputs.Properties[name]; !declared {
			wrong = append(wrong, fmt.Errorf("%s: the input %s is not declared", w.ID, name))
		}
	}
	names := map[string]bool{}
	for _, step := range w.Steps {
		at := w.ID + "." + step.ID
		if step.ID == "" || names[step.ID] {
			wrong = append(wrong, fmt.Errorf("%s: a step needs a name of its own", at))
		}
		names[step.ID] = true
		if (step.Operation == "") == (step.Workflow == "") {
			wrong = append(wrong, fmt.Errorf("%s: a step is an operation or a workflow", at))
		}
		if _, stands := known[step.Workflow]; step.Workflow != "" && !stands {
			wrong = append(wrong, fmt.Errorf("%s: no workflow %s stands before", at, step.Workflow))
		}
		for _, p := range step.Parameters {
			if (p.In == "") != (step.Workflow != "") || p.In != "" && !slices.Contains([]string{"path", "query", "header"}, p.In) {
				wrong = append(wrong, fmt.Errorf("%s: the parameter %s cannot be in %q", at, p.Name, p.In))
			}
		}
		for _, criterion := range step.Criteria {
			if _, err := parseCondition(criterion.Condition); err != nil {
				wrong = append(wrong, fmt.Errorf("%s: %w", at, err))
			}
		}
		for _, action := range step.OnFailure {
			if action.Type != "retry" || action.RetryLimit < 1 || action.RetryAfter <= 0 || step.Workflow != "" {
				wrong = append(wrong, fmt.Errorf("%s: %s can only be a retry of an operation, after some seconds and at most so often", at, action.Name))
			}
		}
	}
	return wrong
}

// Workflow is the workflow of this name, or nil.
func (d *Document) Workflow(id string) *Workflow {
	for i := range d.Workflows {
		if d.Workflows[i].ID == id {
			return &d.Workflows[i]
		}
	}
	return nil
}
