/*
 * simulate.h - `godwit simulate`: virtual gateways and devices against any LoRaWAN server.
 */
#pragma once

/* argv[0] is "simulate". 0: good; 1: the server did not answer or refused, or a device found fault
 * with a downlink; 2: wrong arguments. */
int cmd_simulate(int argc, char **argv);
