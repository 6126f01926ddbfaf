/* routes.c - which gateways may carry an answer. */
#include "ns/routes.h"

#include "ns/ns_priv.h"

size_t routes_of(const struct job *job, const struct heard_by *heard, struct window_route *routes)
{
    const struct application *application = device_application_of(job->worker, job->device);
    size_t n = 0;

    for (size_t i = 0; i < heard->count; i++) {
        const struct copy *copy = &heard->copies[i];
        const struct gateway_config *gateway = ns_gateway(job->worker, copy->gateway);
        bool foreign = gateway && gateway->is_private && application &&
                       !uuid_equal(&gateway->tenant_id, &application->tenant_id);

        if (foreign || (gateway && gateway->downlink == DOWNLINK_NO))
            continue;
        routes[n++] = (struct window_route){
            .copy = copy,
            .prefer_not = gateway && gateway->downlink == DOWNLINK_PREFER_NOT,
            .max_eirp_dbm = gateway && gateway->max_eirp_dbm > 0 ? (int8_t)gateway->max_eirp_dbm
                                                                 : heard->region->max_eirp_dbm};
    }
    return n;
}
