package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/supermax-hpo/supermax/infra/internal/settings"
)

// A resource is one of the synthesised templates'.
type resource struct {
	stack               string // the nested stack: Storage, Compute, …; "" for the top one
	id                  string
	Type                string
	Properties          map[string]any
	DeletionPolicy      string
	UpdateReplacePolicy string
}

func (r resource) String() string { return r.stack + "/" + r.id }

// A deployment is everything that was synthesised.
type deployment struct {
	resources []resource
	outputs   []string // of the top stack, sorted
	warnings  []string
}

// of returns the resources of a type; there must be some.
func (d deployment) of(t *testing.T, kind string) []resource {
	t.Helper()
	found := d.maybe(kind)
	if len(found) == 0 {
		t.Errorf("no %s was synthesised", kind)
	}
	return found
}

func (d deployment) maybe(kind string) []resource {
	return slices.DeleteFunc(slices.Clone(d.resources), func(r resource) bool { return r.Type != kind })
}

// synthesised keeps each variant: a synthesis takes seconds.
var synthesised sync.Map

// synthesise returns the deployment of a context, as the app makes it.
func synthesise(t *testing.T, context map[string]any, docker bool) deployment {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("node is not installed, and CDK's constructs run in it")
	}
	key := fmt.Sprint(context, docker)
	if d, ok := synthesised.Load(key); ok {
		return d.(deployment)
	}
	out := t.TempDir()
	app := awscdk.NewApp(&awscdk.AppProps{Outdir: &out, AnalyticsReporting: jsii.Bool(false), PostCliContext: flags(t)})
	s, err := settings.Read(func(key string) any { return context[key] }, "arm64")
	if err != nil {
		t.Fatal(err)
	}
	if err := newSupermax(app, s, source{Root: imageContext(t), Lambdas: fakeFunctions(t), Docker: docker}); err != nil {
		t.Fatal(err)
	}
	app.Synth(nil)
	d := deployment{warnings: warnings(t, filepath.Join(out, s.Name+".metadata.json"))}
	d.read(t, out, s.Name, "")
	synthesised.Store(key, d)
	return d
}

// warnings returns what cdk will print beside a stack.
func warnings(t *testing.T, file string) (texts []string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var metadata map[string][]struct {
		Type string
		Data any
	}
	if err := json.Unmarshal(data, &metadata); err != nil {
		t.Fatal(err)
	}
	for _, entries := range metadata {
		for _, e := range entries {
			if e.Type == "aws:cdk:warning" {
				texts = append(texts, fmt.Sprint(e.Data))
			}
		}
	}
	return texts
}

// read reads the template of a stack and, through it, those of its nested stacks.
func (d *deployment) read(t *testing.T, out, name, stack string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(out, name+stack+"*.template.json"))
	if err != nil {
		t.Fatal(err)
	}
	if stack == "" {
		files = []string{filepath.Join(out, name+".template.json")}
	}
	if len(files) != 1 {
		t.Fatalf("the templates of %s%s are %v, want one", name, stack, files)
	}
	data, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	var template struct {
		Resources map[string]resource
		Outputs   map[string]any
	}
	if err := json.Unmarshal(data, &template); err != nil {
		t.Fatal(err)
	}
	if stack == "" {
		d.outputs = slices.Sorted(maps.Keys(template.Outputs))
	}
	for _, id := range slices.Sorted(maps.Keys(template.Resources)) {
		r := template.Resources[id]
		r.stack, r.id = stack, id
		d.resources = append(d.resources, r)
		if r.Type == "AWS::CloudFormation::Stack" {
			d.read(t, out, name, id)
		}
	}
}

// flags returns the context of cdk.json, which holds the feature flags.
func flags(t *testing.T) *map[string]any {
	t.Helper()
	data, err := os.ReadFile("../cdk.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Context map[string]any }
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	return &file.Context
}

// fakeFunctions returns a folder like the one that scripts/lambdas.sh makes.
func fakeFunctions(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"create", "plan", "ask", "tell", "heartbeat", "check", "aggregate", "promote", "finish", "stop", "on-job-event"} {
		write(t, filepath.Join(dir, name, "bootstrap"), "#!/bin/sh\n")
	}
	return dir
}

// imageContext returns a folder that an image could be built in.
func imageContext(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "batchjob", "Dockerfile"), "FROM scratch\n")
	return dir
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

// at returns what lies under a path of a template's value, nil where nothing does. A
// number in the path is a list's index.
func at(v any, path ...any) any {
	for _, step := range path {
		switch key := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[key]
		case int:
			l, _ := v.([]any)
			if key >= len(l) {
				return nil
			}
			v = l[key]
		}
	}
	return v
}

// text writes a value with its intrinsic functions in a form to compare: ${Thing.Arn} for
// what another resource or stack gives, and joins joined.
func text(v any) string {
	m, ok := v.(map[string]any)
	if !ok || len(m) != 1 {
		if s, ok := v.(string); ok {
			return s
		}
		data, _ := json.Marshal(v)
		return string(data)
	}
	for function, argument := range m {
		switch function {
		case "Ref":
			return "${" + short(text(argument)) + "}"
		case "Fn::GetAtt":
			return "${" + short(text(at(argument, 0))) + "." + text(at(argument, 1)) + "}"
		case "Fn::Join":
			var parts []string
			for _, part := range list(at(argument, 1)) {
				parts = append(parts, text(part))
			}
			return strings.Join(parts, text(at(argument, 0)))
		}
	}
	data, _ := json.Marshal(v)
	return string(data)
}

// reference is a parameter that carries something of one nested stack into another: stack,
// construct, a hash of eight, attribute.
var reference = regexp.MustCompile(`^referenceto\w+?Outputs[A-Z][a-z]+?(Storage|Compute|Workflow|Analytics|Alarms)(\w+?)[0-9A-F]{8}(Arn|Ref|JobQueueArn|QueueName)$`)

// own is a resource of the same stack: its construct and a hash.
var own = regexp.MustCompile(`^([A-Za-z0-9]+?)[0-9A-F]{8}$`)

// short names the construct behind a logical name.
func short(name string) string {
	if m := reference.FindStringSubmatch(name); m != nil {
		return m[1] + "/" + m[2] + "." + m[3]
	}
	if m := own.FindStringSubmatch(name); m != nil {
		return m[1]
	}
	return name
}

// list returns a value as a list: a template writes one string for a list of one.
func list(v any) []any {
	switch l := v.(type) {
	case nil:
		return nil
	case []any:
		return l
	}
	return []any{v}
}
