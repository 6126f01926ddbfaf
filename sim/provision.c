#include "sim/provision.h"

#include "core/arena.h"
#include "core/json.h"
#include "net/httpc.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 64
#define BODY_MAX 65536

struct job {
    struct sim_provision *how;
    const struct sim_fleet_config *fleet;
    char authorization[256];
    char tenant[TEXT_MAX], application[TEXT_MAX], profile[TEXT_MAX];
    char answer[TEXT_MAX]; /* `id` of the last answer */
};

/* ---- one request ----------------------------------------------------------------------------- */

/* The `id` of an object, or of the first item of a list. */
static void keep_id(struct job *job, const char *text, size_t len)
{
    struct arena arena;
    const struct node *root;
    const char *why;

    job->answer[0] = 0;
    arena_init(&arena, ARENA_REQUEST_LIMIT);
    if (json_read(text, len, &arena, &root, &why) == OK) {
        const struct node *items = node_get(root, "items");
        const struct node *id = node_get(items ? items->child : root, "id");

        if (id && id->kind == NODE_STRING)
            snprintf(job->answer, sizeof(job->answer), "%s", id->text);
    }
    arena_reset(&arena);
}

static enum err request(struct job *job, const char *method, const char *path, struct jw *body)
{
    const char *const headers[] = {job->authorization, "Content-Type: application/json", NULL};
    char url[512];
    struct httpc_request request = {.method = method,
                                    .url = url,
                                    .headers = headers,
                                    .body = body ? jw_bytes(body) : (struct bytes){0}};
    struct httpc_response response = {0};

    snprintf(url, sizeof(url), "%s/api/v1%s", job->how->url, path);
    enum err err = httpc_do(&request, &response, &job->how->why);

    if (body)
        jw_clear(body);
    if (err)
        return err;
    if (response.status >= 400 && response.status != 409) {
        snprintf(job->how->detail, sizeof(job->how->detail), "%s %s: %d %.400s", method, path,
                 response.status, response.body ? response.body : "");
        job->how->why = job->how->detail;
        err = ERR_DENIED;
    } else {
        keep_id(job, response.body, response.len);
    }
    httpc_free(&response);
    return err;
}

/* The id of what has this name already, else POST and the id of what was made. */
static enum err find_or_create(struct job *job, const char *path, const char *name, struct jw *body,
                               char id[TEXT_MAX])
{
    char search[128];

    snprintf(search, sizeof(search), "%s?limit=1&search=%s", path, name);
    enum err err = request(job, "GET", search, NULL);

    if (!err && !job->answer[0])
        err = request(job, "POST", path, body);
    jw_clear(body);

    if (err)
        return err;
    if (!job->answer[0]) {
        job->how->why = "the answer names no id";
        return ERR_DENIED;
    }
    memcpy(id, job->answer, TEXT_MAX);
    return OK;
}

/* ---- what there is --------------------------------------------------------------------------- */

static void key_eui(struct jw *jw, const char *key, struct lw_eui eui)
{
    char text[LW_EUI_TEXT];

    jw_key_str(jw, key, lw_eui_text(text, eui));
}

static void key_key(struct jw *jw, const char *key, const struct lw_key *value)
{
    jw_key(jw, key);
    jw_hex(jw, value->b, sizeof(value->b));
}

static void identity_of(const struct sim_fleet_config *fleet, uint32_t i, struct sim_identity *out)
{
    if (fleet->only)
        *out = *fleet->only;
    else
        sim_fleet_identity(fleet->seed, i, out);
}

static struct lw_eui gateway_of(const struct sim_fleet_config *fleet, uint32_t i)
{
    return fleet->gateway_base.v ? (struct lw_eui){fleet->gateway_base.v + i}
                                 : sim_fleet_gateway(i);
}

static enum err make_gateway(struct job *job, struct jw *jw, uint32_t i)
{
    char name[TEXT_MAX];

    snprintf(name, sizeof(name), "Simulated gateway %" PRIu32, i + 1);
    jw_object(jw);
    key_eui(jw, "gatewayId", gateway_of(job->fleet, i));
    jw_key_str(jw, "tenantId", job->tenant);
    jw_key_str(jw, "name", name);
    jw_end_object(jw);
    return request(job, "POST", "/gateways", jw);
}

static enum err make_application(struct job *job, struct jw *jw)
{
    jw_object(jw);
    jw_key_str(jw, "tenantId", job->tenant);
    jw_key_str(jw, "name", "Simulation");
    jw_end_object(jw);
    return find_or_create(job, "/applications", "Simulation", jw, job->application);
}

static enum err make_profile(struct job *job, struct jw *jw)
{
    const char *region = sim_plan(job->fleet->region)->name;
    const char *version = lw_version_text(job->fleet->version);
    char name[TEXT_MAX];

    snprintf(name, sizeof(name), "Simulated-%s-%s-%s", region, version,
             job->fleet->abp ? "ABP" : "OTAA");
    jw_object(jw);
    jw_key_str(jw, "tenantId", job->tenant);
    jw_key_str(jw, "name", name);
    jw_key_str(jw, "region", region);
    jw_key_str(jw, "macVersion", version);
    jw_key_bool(jw, "supportsOtaa", !job->fleet->abp);
    jw_end_object(jw);
    return find_or_create(job, "/device-profiles", name, jw, job->profile);
}

static void write_keys(const struct sim_fleet_config *fleet, const struct sim_identity *id,
                       struct jw *jw)
{
    jw_object(jw);
    key_key(jw, "appKey", &id->app_key);
    if (fleet->version >= LW_1_1_0)
        key_key(jw, "nwkKey", &id->nwk_key);
    jw_end_object(jw);
}

static void write_activation(const struct sim_fleet_config *fleet, const struct sim_identity *id,
                             struct jw *jw)
{
    char addr[LW_DEV_ADDR_TEXT];
    bool is_1_1 = fleet->version >= LW_1_1_0;

    jw_object(jw);
    jw_key_str(jw, "devAddr", lw_dev_addr_text(addr, id->dev_addr));
    key_key(jw, "appSKey", &id->app_s);
    key_key(jw, is_1_1 ? "fNwkSIntKey" : "nwkSKey", &id->f_nwk);
    if (is_1_1) {
        key_key(jw, "sNwkSIntKey", &id->s_nwk);
        key_key(jw, "nwkSEncKey", &id->nwk_enc);
    }
    jw_end_object(jw);
}

static enum err make_device(struct job *job, struct jw *jw, uint32_t i)
{
    char path[TEXT_MAX], name[TEXT_MAX], eui[LW_EUI_TEXT];
    struct sim_identity id;
    enum err err;

    identity_of(job->fleet, i, &id);
    snprintf(name, sizeof(name), "Simulated device %" PRIu32, i + 1);
    jw_object(jw);
    key_eui(jw, "devEui", id.dev_eui);
    key_eui(jw, "joinEui", id.join_eui);
    jw_key_str(jw, "name", name);
    jw_key_str(jw, "applicationId", job->application);
    jw_key_str(jw, "deviceProfileId", job->profile);
    jw_end_object(jw);
    if ((err = request(job, "POST", "/devices", jw)))
        return err;

    snprintf(path, sizeof(path), "/devices/%s/%s", lw_eui_text(eui, id.dev_eui),
             job->fleet->abp ? "activation" : "keys");
    if (job->fleet->abp)
        write_activation(job->fleet, &id, jw);
    else
        write_keys(job->fleet, &id, jw);
    return request(job, "PUT", path, jw);
}

static enum err make_all(struct job *job, struct jw *jw)
{
    enum err err = request(job, "GET", "/tenants?limit=1", NULL);

    if (err)
        return err;
    memcpy(job->tenant, job->answer, sizeof(job->tenant));
    for (uint32_t i = 0; !err && i < job->fleet->gateways; i++)
        err = make_gateway(job, jw, i);
    if (!err)
        err = make_application(job, jw);
    if (!err)
        err = make_profile(job, jw);
    for (uint32_t i = 0; !err && i < job->fleet->devices; i++)
        err = make_device(job, jw, i);
    return err;
}

enum err sim_provision(struct sim_provision *how, const struct sim_fleet_config *fleet)
{
    struct job job = {.how = how, .fleet = fleet};
    struct jw jw;

    snprintf(job.authorization, sizeof(job.authorization), "Authorization: Bearer %s", how->key);
    jw_init(&jw, BODY_MAX);
    enum err err = make_all(&job, &jw);

    jw_free(&jw);
    return err;
}

/* ---- CSV ------------------------------------------------------------------------------------- */

static void print_keys(const struct lw_key *const *keys, size_t n, FILE *to)
{
    char text[33];

    for (size_t i = 0; i < n; i++)
        fprintf(to, ",%s", hex_write(text, keys[i]->b, sizeof(keys[i]->b)));
    fputc('\n', to);
}

void sim_provision_csv(const struct sim_fleet_config *fleet, FILE *to)
{
    bool is_1_1 = fleet->version >= LW_1_1_0;
    char eui[LW_EUI_TEXT], join[LW_EUI_TEXT], addr[LW_DEV_ADDR_TEXT];

    fprintf(to, "devEui,joinEui%s\n",
            !fleet->abp ? is_1_1 ? ",appKey,nwkKey" : ",appKey"
            : is_1_1    ? ",devAddr,appSKey,fNwkSIntKey,sNwkSIntKey,nwkSEncKey"
                        : ",devAddr,appSKey,nwkSKey");
    for (uint32_t i = 0; i < fleet->devices; i++) {
        struct sim_identity id;

        identity_of(fleet, i, &id);
        const struct lw_key *otaa[] = {&id.app_key, &id.nwk_key};
        const struct lw_key *abp[] = {&id.app_s, &id.f_nwk, &id.s_nwk, &id.nwk_enc};

        fprintf(to, "%s,%s", lw_eui_text(eui, id.dev_eui), lw_eui_text(join, id.join_eui));
        if (fleet->abp)
            fprintf(to, ",%s", lw_dev_addr_text(addr, id.dev_addr));
        print_keys(fleet->abp ? abp : otaa, (size_t)(fleet->abp ? 2 : 1) * (is_1_1 ? 2 : 1), to);
    }
}
