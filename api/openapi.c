/*
 * openapi.c - the OpenAPI 3.1 document, made from the table of endpoints and the field tables, and
 * a page that shows it without anything from elsewhere.
 */
#include "api/routes.h"

#include <ctype.h>
#include <string.h>

static void put(struct jw *jw, const char *json)
{
    jw_raw(jw, json, strlen(json));
}

static const struct field *body_of(const struct endpoint *e)
{
    if (e->body)
        return e->body;
    return e->type != EP_NO_TYPE && (*e->method == 'P') ? record_types[e->type].fields : NULL;
}

static const struct field *answer_of(const struct endpoint *e)
{
    if (e->answer)
        return e->answer;
    return e->type != EP_NO_TYPE ? record_types[e->type].fields : NULL;
}

/* Starts with a key: must be followed by one value, then end_content. */
static void begin_content(struct jw *jw, const char *type)
{
    jw_key(jw, "content");
    jw_object(jw);
    jw_key(jw, type);
    jw_object(jw);
    jw_key(jw, "schema");
}

static void end_content(struct jw *jw)
{
    jw_end_object(jw);
    jw_end_object(jw);
}

static void print_parameter(struct jw *jw, const char *in, const char *name, const char *type)
{
    jw_object(jw);
    jw_key_str(jw, "name", name);
    jw_key_str(jw, "in", in);
    jw_key_bool(jw, "required", strcmp(in, "path") == 0);
    jw_key(jw, "schema");
    jw_object(jw);
    jw_key_str(jw, "type", type);
    jw_end_object(jw);
    jw_end_object(jw);
}

static void print_path_parameters(struct call *call, struct jw *jw, const char *path)
{
    while ((path = strchr(path, '{'))) {
        size_t n = strcspn(++path, "}");

        print_parameter(jw, "path", arena_strndup(&call->arena, path, n), "string");
    }
}

static void print_filters(struct jw *jw, const struct endpoint *e)
{
    print_parameter(jw, "query", "limit", "integer");
    print_parameter(jw, "query", "cursor", "string");
    if (e->type == EP_NO_TYPE)
        return;
    print_parameter(jw, "query", "search", "string");
    for (const struct field *f = record_types[e->type].fields; f->kind != F_END; f++) {
        if (f->flags & F_PARENT)
            print_parameter(jw, "query", f->name, "string");
    }
}

static void print_parameters(struct call *call, struct jw *jw, const struct endpoint *e)
{
    jw_key(jw, "parameters");
    jw_array(jw);
    print_path_parameters(call, jw, e->path);
    if (e->flags & EP_LIST)
        print_filters(jw, e);
    if (strstr(e->path, "/events"))
        print_parameter(jw, "query", "type", "string");
    if (e->flags & EP_STREAM)
        print_parameter(jw, "header", "Last-Event-ID", "string");
    if (e->type != EP_NO_TYPE && strchr(e->path, '{') && !(e->flags & EP_LIST) &&
        strcmp(e->method, "GET") != 0)
        print_parameter(jw, "header", "If-Match", "string");
    jw_end_array(jw);
}

static void print_page_schema(struct jw *jw, const struct field *table)
{
    jw_object(jw);
    jw_key_str(jw, "type", "object");
    jw_key(jw, "properties");
    jw_object(jw);
    jw_key(jw, "items");
    jw_object(jw);
    jw_key_str(jw, "type", "array");
    jw_key(jw, "items");
    if (table) {
        field_schema(table, jw, false);
    } else {
        jw_object(jw);
        jw_key_str(jw, "type", "object");
        jw_end_object(jw);
    }
    jw_end_object(jw);
    jw_key(jw, "nextCursor");
    put(jw, "{\"type\":[\"string\",\"null\"]}");
    jw_key(jw, "totalCount");
    put(jw, "{\"type\":\"integer\"}");
    jw_end_object(jw);
    jw_end_object(jw);
}

static void print_success(struct jw *jw, const struct endpoint *e)
{
    const struct field *table = answer_of(e);

    jw_object(jw);
    jw_key_str(jw, "description", e->status == 204 ? "Done" : "Good");
    if (e->status != 204) {
        begin_content(jw, e->flags & EP_STREAM ? "text/event-stream"
                          : e->flags & EP_PAGE ? "text/html"
                          : e->flags & EP_TEXT ? "text/plain"
                                               : "application/json");
        if (e->flags & EP_LIST)
            print_page_schema(jw, table);
        else if (table)
            field_schema(table, jw, false);
        else
            put(jw, "{}");
        end_content(jw);
    }
    jw_end_object(jw);
}

static void print_problem(struct jw *jw, int status)
{
    jw_object(jw);
    jw_key_str(jw, "description", http_reason(status));
    begin_content(jw, "application/problem+json");
    put(jw, "{\"$ref\":\"#/components/schemas/Problem\"}");
    end_content(jw);
    jw_end_object(jw);
}

static void print_answers(struct call *call, struct jw *jw, const struct endpoint *e)
{
    static const int bodied[] = {409, 412, 413, 415, 422};

    jw_key(jw, "responses");
    jw_object(jw);
    jw_key(jw, arena_printf(&call->arena, "%d", e->status));
    print_success(jw, e);
    if (!(e->flags & EP_OPEN)) {
        jw_key(jw, "401");
        print_problem(jw, 401);
        jw_key(jw, "403");
        print_problem(jw, 403);
    }
    if (strcmp(e->method, "DELETE") == 0) {
        jw_key(jw, "409");
        print_problem(jw, 409);
        jw_key(jw, "412");
        print_problem(jw, 412);
    }
    if (e->handle == login_post) {
        jw_key(jw, "401");
        print_problem(jw, 401);
        jw_key(jw, "429");
        print_problem(jw, 429);
    }
    if (strchr(e->path, '{')) {
        jw_key(jw, "404");
        print_problem(jw, 404);
    }
    if (!(e->flags & EP_HERE)) {
        jw_key(jw, "400");
        print_problem(jw, 400);
    }
    for (size_t i = 0; body_of(e) && i < sizeof(bodied) / sizeof(bodied[0]); i++) {
        jw_key(jw, arena_printf(&call->arena, "%d", bodied[i]));
        print_problem(jw, bodied[i]);
    }
    if (strcmp(e->method, "GET") != 0 || strcmp(e->path, "/readyz") == 0) {
        jw_key(jw, "503");
        print_problem(jw, 503);
    }
    jw_end_object(jw);
}

static void print_operation(struct call *call, struct jw *jw, const struct endpoint *e)
{
    char method[8] = "";

    for (size_t i = 0; e->method[i] && i + 1 < sizeof(method); i++)
        method[i] = (char)tolower((unsigned char)e->method[i]);
    jw_key(jw, method);
    jw_object(jw);
    jw_key_str(jw, "summary", e->summary);
    if (e->flags & EP_OPEN) {
        jw_key(jw, "security");
        put(jw, "[]");
    } else if (e->scope != SCOPE_NONE) {
        jw_key_str(jw, "x-scope", api_scopes[e->scope]);
    }
    print_parameters(call, jw, e);
    if (body_of(e)) {
        jw_key(jw, "requestBody");
        jw_object(jw);
        jw_key_bool(jw, "required", true);
        begin_content(jw, "application/json");
        field_schema(body_of(e), jw, true);
        end_content(jw);
        jw_end_object(jw);
    }
    print_answers(call, jw, e);
    jw_end_object(jw);
}

static bool seen_before(size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (strcmp(api_endpoints[i].path, api_endpoints[at].path) == 0)
            return true;
    }
    return false;
}

static const char problem_schema[] =
    "{\"type\":\"object\",\"properties\":{\"type\":{\"type\":\"string\"},"
    "\"title\":{\"type\":\"string\"},\"status\":{\"type\":\"integer\"},"
    "\"detail\":{\"type\":\"string\"},\"errors\":{\"type\":\"array\",\"items\":"
    "{\"type\":\"object\",\"properties\":{\"field\":{\"type\":\"string\"},"
    "\"message\":{\"type\":\"string\"}}}}}}";

static void print_head(struct jw *jw)
{
    jw_key_str(jw, "openapi", "3.1.0");
    jw_key(jw, "info");
    jw_object(jw);
    jw_key_str(jw, "title", "Godwit");
    jw_key_str(jw, "version", GODWIT_VERSION);
    jw_key_str(jw, "description",
               "LoRaWAN network server. Times are RFC 3339 UTC, EUIs and keys hex, "
               "payloads base64, frequencies Hz.");
    jw_end_object(jw);
    jw_key(jw, "security");
    put(jw, "[{\"bearer\":[]}]");
    jw_key(jw, "components");
    jw_object(jw);
    jw_key(jw, "securitySchemes");
    put(jw, "{\"bearer\":{\"type\":\"http\",\"scheme\":\"bearer\"}}");
    jw_key(jw, "schemas");
    jw_object(jw);
    jw_key(jw, "Problem");
    jw_raw(jw, problem_schema, sizeof(problem_schema) - 1);
    jw_end_object(jw);
    jw_end_object(jw);
}

int openapi_get(struct call *call)
{
    struct jw *jw = &call->out;

    jw_object(jw);
    print_head(jw);
    jw_key(jw, "paths");
    jw_object(jw);
    for (size_t i = 0; i < api_endpoint_count; i++) {
        if (seen_before(i))
            continue;
        jw_key(jw, api_endpoints[i].path);
        jw_object(jw);
        for (size_t k = i; k < api_endpoint_count; k++) {
            if (strcmp(api_endpoints[k].path, api_endpoints[i].path) == 0)
                print_operation(call, jw, &api_endpoints[k]);
        }
        jw_end_object(jw);
    }
    jw_end_object(jw);
    jw_end_object(jw);
    return 200;
}

static const char docs[] =
    "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Godwit REST</title><style>"
    "body{font:15px/1.45 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em}"
    "summary{cursor:pointer;padding:.2em 0}code,pre{font:13px ui-monospace,monospace}"
    "b{display:inline-block;width:5em}pre{background:#f4f4f4;padding:.8em;overflow:auto}</style>"
    "<h1>Godwit REST</h1><p><a href=\"/api/v1/openapi.json\">openapi.json</a></p>"
    "<div id=\"o\">loading</div><script>fetch('/api/v1/openapi.json').then(r=>r.json()).then(d=>{"
    "const o=document.getElementById('o');o.textContent='';for(const p in d.paths)for(const m in "
    "d.paths[p]){const e=d.paths[p][m],t=document.createElement('details'),s=document."
    "createElement('summary'),b=document.createElement('b'),c=document.createElement('code'),"
    "x=document.createElement('pre');b.textContent=m.toUpperCase();c.textContent=p;"
    "s.append(b,c,' '+e.summary);x.textContent=JSON.stringify(e,null,2);t.append(s,x);"
    "o.append(t)}})</script>\n";

int docs_get(struct call *call)
{
    call->content_type = "text/html; charset=utf-8";
    jw_raw(&call->out, docs, sizeof(docs) - 1);
    return 200;
}
