package contract_test

import (
	"os"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"go.yaml.in/yaml/v3"
)

// flows is what this test needs of flows.yaml.
type flows struct {
	Workflows []struct {
		ID    string `yaml:"workflowId"`
		Steps []struct {
			ID         string                      `yaml:"stepId"`
			Operation  string                      `yaml:"operationId"`
			Workflow   string                      `yaml:"workflowId"`
			Parameters []struct{ Name, In string } `yaml:"parameters"`
			Body       *struct {
				ContentType string `yaml:"contentType"`
			} `yaml:"requestBody"`
		} `yaml:"steps"`
	} `yaml:"workflows"`
}

func TestFlowsFollowTheContract(t *testing.T) {
	text, err := os.ReadFile("../flows.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var doc flows
	if err := yaml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	operations := map[string]*openapi3.Operation{}
	for _, item := range load(t).Paths.Map() {
		for _, op := range item.Operations() {
			operations[op.OperationID] = op
		}
	}
	workflows := map[string]bool{}
	for _, flow := range doc.Workflows {
		for _, step := range flow.Steps {
			at := flow.ID + "." + step.ID
			if step.Workflow != "" {
				if !workflows[step.Workflow] {
					t.Errorf("%s goes by a workflow that does not stand before: %s", at, step.Workflow)
				}
				continue
			}
			op := operations[step.Operation]
			if op == nil {
				t.Errorf("%s: the contract has no operation %s", at, step.Operation)
				continue
			}
			given := map[string]bool{}
			for _, p := range step.Parameters {
				given[p.In+" "+p.Name] = true
				credential := p.In == "header" && (p.Name == "Authorization" || strings.HasSuffix(p.Name, "-Token"))
				if op.Parameters.GetByInAndName(p.In, p.Name) == nil && !credential {
					t.Errorf("%s: %s has no parameter %s in %s", at, step.Operation, p.Name, p.In)
				}
			}
			for _, p := range op.Parameters {
				if p.Value.Required && !given[p.Value.In+" "+p.Value.Name] {
					t.Errorf("%s: %s needs %s", at, step.Operation, p.Value.Name)
				}
			}
			if step.Body != nil && (op.RequestBody == nil || op.RequestBody.Value.Content[step.Body.ContentType] == nil) {
				t.Errorf("%s: %s takes no body of %s", at, step.Operation, step.Body.ContentType)
			}
		}
		workflows[flow.ID] = true
	}
	if len(workflows) < 9 {
		t.Errorf("there are only %d workflows", len(workflows))
	}
}
