package main

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var (
	onLaptop = map[string]string{
		"SUPERMAX_ENDPOINT": "http://127.0.0.1:1", "SUPERMAX_TOKEN": "secret", "SUPERMAX_STUDY": "s", "SUPERMAX_STAGE": "B",
		"SUPERMAX_SLOT": "slot-0", "SUPERMAX_OBJECTS": "file:///x",
	}
	onBatch = map[string]string{
		"SUPERMAX_ASK_FUNCTION": "supermax-ask", "SUPERMAX_TELL_FUNCTION": "arn:aws:lambda:eu-west-1:123456789012:function:t",
		"SUPERMAX_HEARTBEAT_FUNCTION": "h", "SUPERMAX_STUDY": "s", "SUPERMAX_STAGE": "B", "SUPERMAX_OBJECTS": "s3://results",
		"AWS_BATCH_JOB_ID": "0f-1a:7", "AWS_BATCH_JOB_ATTEMPT": "2", "SUPERMAX_DEVICE": "cuda:0", "SUPERMAX_CACHE": "/cache", "SUPERMAX_THREADS": "4",
	}
)

func TestReadEnvironment(t *testing.T) {
	for name, tt := range map[string]struct {
		set  map[string]string
		want environment
	}{
		"laptop": {onLaptop, environment{
			endpoint: "http://127.0.0.1:1", token: "secret", study: "s", stage: "B", slot: "slot-0", objects: "file:///x", device: "cpu", threads: 1,
		}},
		"Batch": {onBatch, environment{
			functions: map[string]string{"ask": "supermax-ask", "tell": "arn:aws:lambda:eu-west-1:123456789012:function:t", "heartbeat": "h"},
			study:     "s", stage: "B", slot: "0f-1a:7/2", objects: "s3://results", device: "cuda:0", threads: 4, cache: "/cache",
		}},
	} {
		e, err := readEnvironment(func(name string) string { return tt.set[name] })
		if d := cmp.Diff(tt.want, e, cmp.AllowUnexported(environment{})); d != "" || err != nil {
			t.Errorf("%s: %v, -want +got\n%s", name, err, d)
		}
	}
}

func TestReadEnvironmentRefuses(t *testing.T) {
	const neither = "SUPERMAX_ENDPOINT and SUPERMAX_TOKEN are missing, or SUPERMAX_ASK_FUNCTION, SUPERMAX_TELL_FUNCTION and SUPERMAX_HEARTBEAT_FUNCTION"
	for _, tt := range []struct {
		base map[string]string
		edit map[string]string
		want string
	}{
		{onLaptop, map[string]string{"SUPERMAX_TOKEN": ""}, "SUPERMAX_TOKEN is missing"},
		{onLaptop, map[string]string{"SUPERMAX_SLOT": ""}, "SUPERMAX_SLOT is missing"},
		{onLaptop, map[string]string{"SUPERMAX_TOKEN": "", "SUPERMAX_ENDPOINT": ""}, neither},
		{onLaptop, map[string]string{"SUPERMAX_STAGE": "D"}, `SUPERMAX_STAGE is "D", it must be A, B or C`},
		{onLaptop, map[string]string{"SUPERMAX_DEVICE": "cuda"}, `SUPERMAX_DEVICE is "cuda", it must be cpu or cuda:N`},
		{onLaptop, map[string]string{"SUPERMAX_THREADS": "0"}, `SUPERMAX_THREADS is "0", it must be a number of 1 to 1024`},
		{onLaptop, map[string]string{"SUPERMAX_PARENT": "1"}, `SUPERMAX_PARENT is "1", it must be stdin or absent`},
		{onLaptop, map[string]string{"SUPERMAX_CACHE": "cache"}, `SUPERMAX_CACHE is "cache", it must be an absolute folder`},
		{onLaptop, map[string]string{"SUPERMAX_ASK_FUNCTION": "a"}, "both SUPERMAX_ENDPOINT and SUPERMAX_TOKEN and SUPERMAX_ASK_FUNCTION"},
		{onBatch, map[string]string{"SUPERMAX_TOKEN": "secret"}, "only one of the two must be"},
		{onBatch, map[string]string{"SUPERMAX_TELL_FUNCTION": ""}, "SUPERMAX_TELL_FUNCTION is missing"},
		{onBatch, map[string]string{"SUPERMAX_TELL_FUNCTION": "../x"}, `SUPERMAX_TELL_FUNCTION is "../x", it must be the name or ARN of a Lambda function`},
		{onBatch, map[string]string{"AWS_BATCH_JOB_ID": ""}, "AWS_BATCH_JOB_ID is missing"},
		{onBatch, map[string]string{"AWS_BATCH_JOB_ID": "a b"}, `AWS_BATCH_JOB_ID is "a b", it must be the ID of a Batch job`},
		{onBatch, map[string]string{"AWS_BATCH_JOB_ATTEMPT": ""}, "AWS_BATCH_JOB_ATTEMPT is missing"},
		{onBatch, map[string]string{"AWS_BATCH_JOB_ATTEMPT": "0"}, `AWS_BATCH_JOB_ATTEMPT is "0", it must be a number of 1 to 1000`},
	} {
		set := maps.Clone(tt.base)
		maps.Copy(set, tt.edit)
		e, err := readEnvironment(func(name string) string { return set[name] })
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v: got %+v, %v, want %q", tt.edit, e, err, tt.want)
		}
	}
	_, err := readEnvironment(func(string) string { return "" })
	if err == nil || strings.Count(err.Error(), "is missing") != 3 || !strings.Contains(err.Error(), neither) || strings.Contains(err.Error(), "\n") {
		t.Errorf("nothing set: %v, want three names and the two ways in one sentence", err)
	}
}

func TestCacheFolder(t *testing.T) {
	if dir, err := (&environment{cache: "/c"}).cacheFolder(); dir != "/c" || err != nil {
		t.Errorf("got %s, %v", dir, err)
	}
	t.Setenv("XDG_CACHE_HOME", "/user")
	if dir, err := new(environment).cacheFolder(); dir != "/user/supermax" || err != nil {
		t.Errorf("got %s, %v", dir, err)
	}
	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("HOME", "")
	if dir, err := new(environment).cacheFolder(); err == nil || !strings.Contains(err.Error(), "set SUPERMAX_CACHE") {
		t.Errorf("without a home: %s, %v", dir, err)
	}
}
